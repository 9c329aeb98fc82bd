"""Running a plan: go on where it stopped, train nothing twice, note one line per finished run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from acnn_mmpose.checkpoints.load import latest_checkpoint, read_meta
from acnn_mmpose.engine import train_in_order
from acnn_mmpose.engine.config_check import check_config
from acnn_mmpose.engine.hooks.work_dir_lock import BusyError, hold_work_dir

from mmengine.logging import print_log

from .plan import Plan, Run
from .provenance import describe_code, note_piece
from .results import append_line, check_same_data, has_line, measure_run
from .steps import Step, prepare

PAUSE = 30  # seconds between looks at what other processes train


def run_plan(
    plan: Plan,
    runs: Sequence[Run],
    work_dir: str,
    results: Path,
    deadline: float | None = None,
) -> list[Run]:
    """Train and measure runs; variants whose first phases are the same share them.

    May be stopped in any way at any time: the same call goes on, at the cost of an epoch at most.
    Several processes may run the same plan beside each other; each trains what the others do not,
    and waits for phases that its runs share with theirs.

    Args:
        plan: The plan.
        runs: Which of its runs, in order.
        work_dir: Where logs and checkpoints go, one folder per phase.
        results: The json lines; a run that has one is finished.
        deadline: When to stop, in seconds as of :func:`time.time`.

    Returns:
        The runs that are not finished.
    """
    describe_code()  # before the code that was imported can change on disk
    pending = [
        (f'[{number}/{len(runs)}] {plan.name}: {run.variant}, seed {run.seed}', run)
        for number, run in enumerate(runs, start=1)
    ]
    left = []
    while pending:
        busy = []
        for label, run in pending:
            try:
                if not _finish(plan, run, label, work_dir, results, deadline):
                    left.append(run)
            except BusyError:
                print_log(f'{label}: another process is at it', logger='current')
                busy.append((label, run))
        if busy and deadline is not None and time.time() >= deadline:
            return left + [run for _, run in busy]
        if len(busy) == len(pending):
            time.sleep(PAUSE)
        pending = busy
    return left


def _finish(
    plan: Plan, run: Run, label: str, work_dir: str, results: Path, deadline: float | None
) -> bool:
    """Do what is left of a run; return whether it is finished.

    Raises:
        BusyError: If another process is at it.
    """
    steps = prepare(plan, run, work_dir)
    last = steps[-1]
    check_same_data(results, last.cfg)
    with hold_work_dir(last.cfg.work_dir, name='run.lock'):
        if has_line(results, run, last.cfg, last.key):
            print_log(f'{label}: was finished', logger='current')
        elif _train(steps, label, deadline):
            append_line(results, measure_run(plan, run, steps))
            print_log(f'{label}: finished', logger='current')
        else:
            return False
    return True


def describe_progress(
    plan: Plan, runs: Sequence[Run], work_dir: str, results: Path
) -> Iterator[str]:
    """Say of each run whether it is finished, or how many epochs are trained."""
    for run in runs:
        steps = prepare(plan, run, work_dir)
        if has_line(results, run, steps[-1].cfg, steps[-1].key):
            state = 'finished'
        else:
            latest = [latest_checkpoint(step.cfg.work_dir) for step in steps]
            trained = sum(read_meta(checkpoint)['epoch'] for checkpoint in latest if checkpoint)
            state = f'{trained} of {plan.budget} epochs'
        yield f'{plan.name}: {run.variant}, seed {run.seed}: {state}'


def _train(steps: Sequence[Step], label: str, deadline: float | None) -> bool:
    """Train what is left of a run; return whether it is finished."""
    previous = None
    for number, step in enumerate(steps, start=1):
        with hold_work_dir(step.cfg.work_dir, name='phase.lock'):
            latest = latest_checkpoint(step.cfg.work_dir)
            if latest is None or read_meta(latest)['epoch'] < step.phase.epochs:
                if deadline is not None and time.time() >= deadline:
                    return False
                print_log(f'{label}: phase {number} of {len(steps)}', logger='current')
                check_config(step.cfg)
                note_piece(step.phase, step.cfg)
                step.cfg.load_from = previous
                step.cfg.custom_hooks.append(dict(type='ClockHook', deadline=deadline))
                train_in_order([step.cfg], resume='auto')
                latest = latest_checkpoint(step.cfg.work_dir)
            if latest is None or read_meta(latest)['epoch'] < step.phase.epochs:
                return False
        previous = latest
    return True
