"""What runs have logged: their training, and the table of every validation."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ACNNError
from .table import TableRow, read_table

Curves = dict[str, list[tuple[float, float]]]


class RunLog(NamedTuple):
    """What a run logged.

    Attributes:
        name: Of its folder.
        training: Per name the logged (epoch, value); 1.5 is the middle of the second epoch.
        scores: Per stage the PCKh@0.5 (Total) of its prediction, or ``'AP'`` where COCO's metric
            was taken, as (epoch, value).
        epochs: How many epochs the run has begun.
    """

    name: str
    training: Curves
    scores: Curves
    epochs: int


def read_run(work_dir: str) -> RunLog:
    """Read the logs of a run, those of a resumed one together."""
    folder = Path(work_dir)
    by_step: dict[int, dict[str, Any]] = {}
    precision: dict[float, float] = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text(encoding='utf-8').splitlines():
            try:
                entry = dict(json.loads(line))
            except (TypeError, ValueError):  # cut off, by a full disk for example
                continue
            if {'loss', 'epoch', 'step'} <= entry.keys():  # of a step logged twice the later holds
                by_step[entry['step']] = entry
            elif 'coco/AP' in entry:  # of a validation, whose step is the epoch
                precision[entry['step']] = entry['coco/AP']
    if not by_step:
        raise ACNNError(
            f'{work_dir} holds no log of a training by epochs (*/vis_data/scalars.json): give the '
            'folders that tools/train.py wrote to'
        )
    per_epoch = _steps_per_epoch(by_step)
    training: Curves = {}
    for step, entry in sorted(by_step.items()):
        for name, value in entry.items():
            training.setdefault(name, []).append((step / per_epoch, value))
    epochs = max(entry['epoch'] for entry in by_step.values())
    scores: Curves = {'AP': sorted(precision.items())} if precision else _read_stages(folder)
    return RunLog(folder.name, training, scores, epochs)


def _steps_per_epoch(by_step: dict[int, dict[str, Any]]) -> float:
    """Work out an epoch's length; MMEngine logs the same steps of every epoch."""
    first_steps: dict[int, int] = {}
    for step, entry in sorted(by_step.items()):
        first_steps.setdefault(entry['epoch'], step)
    first, last = min(first_steps), max(first_steps)
    if first == last:
        return max(by_step) / last
    return (first_steps[last] - first_steps[first]) / (last - first)


def _read_stages(folder: Path) -> Curves:
    stages: dict[str, dict[int, float]] = {}
    for path in sorted(folder.glob('*/pckh_epoch_*.json')):
        epoch = int(path.stem.rpartition('_')[2])
        for row in read_table(path):
            match = re.match(r'stage (\d+)', row.method)
            if match and row.measure == 'PCKh@0.5':
                stages.setdefault(f'stage {match[1]}', {})[epoch] = row.scores.total_weighted
    return {name: sorted(points.items()) for name, points in stages.items()}


def compare_runs(work_dirs: Sequence[str]) -> list[TableRow]:
    """Collect the PCKh@0.5 of each run's last evaluation, one row per run's folder."""
    rows = []
    for work_dir in map(Path, work_dirs):
        tables = sorted(work_dir.glob('*/pckh_*.json'), key=lambda path: path.stat().st_mtime)
        if not tables:
            raise ACNNError(
                f'{work_dir} holds no table of PCKh (*/pckh_*.json), which an evaluation by '
                'MpiiPCKhTable writes: train or test there with --work-dir and that metric'
            )
        rows += [
            row._replace(method=work_dir.name)
            for row in read_table(tables[-1])
            if (row.method, row.measure) == ('prediction', 'PCKh@0.5')
        ]
    return rows
