"""One json line per finished run: what was trained, by what, and what came out.

Legend: S stages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acnn_mmpose.checkpoints.load import latest_checkpoint
from acnn_mmpose.engine.hooks.attention_stats import measure_coverage
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation import MpiiPCKhTable, read_run
from acnn_mmpose.evaluation.table import TableRow
from acnn_mmpose.models import stack_masks

import torch
from mmengine.config import Config, ConfigDict
from mmengine.runner import CheckpointLoader, Runner
from mmpose.datasets.transforms import RandomBBoxTransform, RandomFlip
from mmpose.registry import TRANSFORMS
from torch import Tensor

from .clock import SECONDS
from .plan import Plan, Run
from .provenance import describe_data, read_pieces
from .steps import Step

# of the configs that lines are compared with; raise it when these say the same in other words
LAYOUT = 2
CURVES = ('loss', 'grad_rms_', 'mask')  # beginnings of the names of logged figures that are kept
POINTS = 12  # per curve and phase
NEEDED = ('variant', 'seed', 'key', 'phases', 'train_data', 'val_data', 'scores', 'coverage')
PEOPLE = 6  # the first of the validation set, whose masks are kept
RANDOM = (RandomFlip, RandomBBoxTransform)


def measure_run(plan: Plan, run: Run, steps: Sequence[Step]) -> dict[str, Any]:
    """Test the last checkpoint of a run, the last epoch's, and gather what is known of the run.

    Args:
        plan: The plan.
        run: The run.
        steps: Its phases, all trained.
    """
    cfg = steps[-1].cfg
    rows, coverage, people = _test(cfg)
    seconds = [_read_seconds(step) for step in steps]
    train, val = (describe_data(cfg[f'{split}_dataloader'].dataset) for split in ('train', 'val'))
    return dict(
        experiment=plan.name,
        variant=run.variant,
        seed=run.seed,
        layout=LAYOUT,
        key=steps[-1].key,
        phases=run.declared(),
        epochs=plan.budget,
        samples=plan.budget * train['people'],
        train_data=train,
        val_data=val,
        seconds=[round(each, 1) for each in seconds],
        pieces=[read_pieces(step.cfg.work_dir) for step in steps],
        scores={
            measure: {row.method: _figures(row) for row in rows if row.measure == measure}
            for measure in dict.fromkeys(row.measure for row in rows)
        },
        coverage=coverage,
        people=people,
        curves=[_read_curves(step) for step in steps],
    )


def append_line(results: Path, line: dict[str, Any]) -> None:
    """Add a line to a file, made with its folder if need be."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open('a+', encoding='utf-8') as file:
        file.seek(0)
        # a process that was killed while writing leaves a line without an end
        begin = '' if file.read()[-1:] in ('', '\n') else '\n'
        file.write(f'{begin}{json.dumps(line)}\n')


def read_lines(results: Path) -> list[dict[str, Any]]:
    """Read the lines of a file; none if it does not exist.

    Raises:
        ACNNError: Naming the line that is not json, or lacks something.
    """
    if not results.is_file():
        return []
    lines = []
    for number, text in enumerate(results.read_text(encoding='utf-8').splitlines(), start=1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise ACNNError(
                f'line {number} of {results} is not json ({error}): remove it, and the run that '
                'it belonged to is measured anew'
            ) from error
        lacking = [name for name in NEEDED if not isinstance(line, dict) or name not in line]
        if lacking:
            raise ACNNError(
                f'line {number} of {results} is not the result of a run, for it has no '
                f'{lacking[0]!r}: remove it'
            )
        lines.append(line)
    return lines


def has_line(results: Path, run: Run, cfg: Config, key: str) -> bool:
    """Say whether a run is finished: its line is one that the report shows, too.

    Args:
        results: The json lines.
        run: The run.
        cfg: Config of its last phase.
        key: The name of its weights.
    """
    data = tuple(
        describe_data(cfg[f'{split}_dataloader'].dataset)['sha256'] for split in ('train', 'val')
    )
    return any(data_of(line) == data and is_of(line, run, key) for line in read_lines(results))


def is_of(line: dict[str, Any], run: Run, key: str | None) -> bool:
    """Say whether a line is of a run.

    A line of an earlier layout is if variant, seed and epochs are the run's: configs of its time
    said what is trained in other words, so that neither these nor keys can be compared.

    Args:
        line: The line.
        run: The run.
        key: The name of the weights that the run ends with, on the data of the line.
    """
    if (line['variant'], line['seed']) != (run.variant, run.seed):
        return False
    if is_earlier(line):
        epochs = [(phase['config'], phase['epochs']) for phase in line['phases']]
        return epochs == [(phase.config, phase.epochs) for phase in run.phases]
    return line['phases'] == run.declared() and line['key'] == key


def is_earlier(line: dict[str, Any]) -> bool:
    """Say whether a line is of an earlier layout of the configs."""
    return line.get('layout', 1) < LAYOUT


def check_same_data(results: Path, cfg: Config) -> None:
    """Refuse to add to lines that were measured on other data: no report could compare them.

    Args:
        results: The json lines.
        cfg: A config, whose data are there.

    Raises:
        ACNNError: If there are such lines.
    """
    ours = [describe_data(cfg[f'{split}_dataloader'].dataset) for split in ('train', 'val')]
    for line in read_lines(results):
        if data_of(line) != tuple(each['sha256'] for each in ours):
            raise ACNNError(
                f'{results} has runs on other data ({line["train_data"]["name"]}) than these '
                f'({ours[0]["name"]}): set ACNN_DATA_ROOT to the former, or give runs on the '
                'latter a folder of their own (--results)'
            )


def data_of(line: dict[str, Any]) -> tuple[str, str]:
    """Name the data that a line was measured on: hashes of what trained and what was predicted."""
    return line['train_data']['sha256'], line['val_data']['sha256']


def _test(cfg: Config) -> tuple[list[TableRow], list[list[float]], list[dict[str, Any]]]:
    """Score the last checkpoint on the validation people, and measure its masks on them.

    Returns:
        The table's rows, and what :func:`_measure_masks` returns.
    """
    cfg.load_from, cfg.resume = latest_checkpoint(cfg.work_dir), False
    assert cfg.load_from is not None, 'the run is trained'
    cfg.visualizer.name = f'{cfg.work_dir}, test'  # MMEngine keeps visualizers by name
    runner = Runner.from_cfg(cfg)
    runner.test()
    (table,) = (m for m in runner.test_evaluator.metrics if isinstance(m, MpiiPCKhTable))
    return table.rows, *_measure_masks(runner, cfg)


def without_augmentation(pipeline: Sequence[ConfigDict]) -> list[ConfigDict]:
    """Leave the random transforms of this package's pipelines, and their bases, out of one."""
    return [step for step in pipeline if not issubclass(TRANSFORMS.get(step.type), RANDOM)]


@torch.no_grad()
def _measure_masks(runner: Runner, cfg: Config) -> tuple[list[list[float]], list[dict[str, Any]]]:
    """Measure what each mask keeps of feature map, joints and background of validation people.

    Targets are those of training, without its random transforms, and with a sigma of one cell
    whatever the training's is, so that shares of joints and background mean the same for all.

    Returns:
        Per mask its three shares, and sketches of the first people (none if the masks are all
        ones).
    """
    loader = cfg.val_dataloader.copy()
    loader.dataset = loader.dataset.copy()
    loader.dataset.type = cfg.train_dataloader.dataset.type  # whose joints count from 0
    loader.dataset.pipeline = without_augmentation(cfg.train_dataloader.dataset.pipeline)
    for step in loader.dataset.pipeline:
        if step.type == 'GenerateTarget':
            step.encoder.sigma = 1
    masks, targets = [], []
    people: list[dict[str, Any]] = []
    runner.model.eval()
    for batch in Runner.build_dataloader(loader):
        samples = batch['data_samples']
        inputs = runner.model.data_preprocessor(batch)['inputs']
        stages = runner.model.backbone(inputs)
        masks.append(stack_masks(stages).cpu())
        if not people and not torch.all(masks[0] == 1):
            heatmaps = runner.model.head(stages)[-1].cpu()
            people = [_sketch(*pair) for pair in zip(masks[0][:PEOPLE], heatmaps)]
        targets.append(torch.stack([sample.gt_fields.heatmaps.cpu() for sample in samples]))
    coverage = measure_coverage(torch.cat(masks), torch.cat(targets)).tolist()
    return [[round(share, 4) for share in shares] for shares in coverage], people


def _sketch(masks: Tensor, heatmaps: Tensor) -> dict[str, Any]:
    """Note what can be drawn without the photograph: the first mask, and where the joints are.

    Args:
        masks: (S - 1, h, w) in [0, 1].
        heatmaps: (K, h, w), predicted.

    Returns:
        ``mask``: a string per row, a digit from 0 (discarded) to 9 (kept) per cell; ``joints``:
        x and y of every heatmap's maximum, in cells.
    """
    digits = (9 * masks[0]).round().int().tolist()
    peaks = heatmaps.flatten(1).argmax(dim=1)
    width = heatmaps.shape[-1]
    return dict(
        mask=[''.join(map(str, row)) for row in digits],
        joints=[[peak % width, peak // width] for peak in peaks.tolist()],
    )


def _read_seconds(step: Step) -> float:
    checkpoint = CheckpointLoader.load_checkpoint(latest_checkpoint(step.cfg.work_dir), 'cpu')
    return checkpoint['message_hub']['runtime_info'][SECONDS]


def _read_curves(step: Step) -> dict[str, list[list[float]]]:
    """Read what a phase logged, as means over at most POINTS stretches of its epochs.

    Returns:
        By name, pairs of epoch (the stretch's middle) and value.
    """
    epochs = step.phase.epochs
    curves = {}
    for name, points in read_run(step.cfg.work_dir).training.items():
        if not name.startswith(CURVES):
            continue
        stretches: dict[int, list[float]] = {}
        for epoch, value in points:
            index = min(int(epoch / epochs * POINTS), POINTS - 1)
            stretches.setdefault(index, []).append(value)
        curves[name] = [
            [round((index + 0.5) * epochs / POINTS, 2), float(f'{sum(v) / len(v):.4g}')]
            for index, v in sorted(stretches.items())
        ]
    return curves


def _figures(row: TableRow) -> dict[str, float | None]:
    scores = dict(
        Total=row.scores.total_weighted, Mean14=row.scores.mean_unweighted, **row.scores.groups
    )
    return {name: None if math.isnan(v) else round(v, 3) for name, v in scores.items()}
