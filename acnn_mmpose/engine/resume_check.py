"""Whether a resumed run goes on as it was trained: same optimizer, schedule and averaging.

MMEngine takes optimizer and schedule as the checkpoint has them, without a word of what the config
says otherwise, and leaves schedulers that only one of the two has as they are.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from mmengine.hooks import EMAHook
from mmengine.runner import Runner

from ..errors import ACNNError

# of an optimizer, how it computes, not what
INDIFFERENT = ('params', 'foreach', 'fused', 'capturable', 'differentiable')


def check_resumption(runner: Runner, checkpoint: dict[str, Any]) -> None:
    """Refuse a config that says otherwise than the checkpoint, about to be resumed, was trained.

    The config's schedule must have come to the checkpoint's learning rate. What it says of the time
    after, for example of the end of a run that was made longer, then holds.
    """
    has, wants = 'ema_state_dict' in checkpoint, any(isinstance(h, EMAHook) for h in runner.hooks)
    if has != wants:
        raise ACNNError(  # averaged weights would be trained on, or the other way round
            f'{runner._load_from} was saved {"with" if has else "without"} EMAHook, but the config '
            f'is {"with" if wants else "without"} it: resume with the same hooks'
        )
    schedulers = runner.param_schedulers or []
    if any(getattr(scheduler, 'need_val_args', False) for scheduler in schedulers):
        return  # it depends on scores
    groups, meta = runner.optim_wrapper.param_groups, checkpoint['meta']
    earlier_groups = _replay(schedulers, groups, meta['epoch'], meta['iter'])
    for own, earlier, saved in zip(groups, earlier_groups, checkpoint['optimizer']['param_groups']):
        for name in [name for name in own if name in saved and name not in INDIFFERENT]:
            # MMEngine leaves out the step with which a schedule ends, until the run is made longer
            if not _agree(saved[name], own[name]) and not _agree(saved[name], earlier[name]):
                raise ACNNError(
                    f'{runner._load_from} was trained with another optimizer or schedule: {name} '
                    f'is {saved[name]} there, and {own[name]} by the config: resume with what it '
                    'was trained with, the end of its schedule included, or start from its weights '
                    f'in another --work-dir with --cfg-options load_from={runner._load_from}'
                )
            saved[name] = own[name]
    checkpoint['param_schedulers'] = [scheduler.state_dict() for scheduler in schedulers]


def _replay(schedulers: list, groups: list[dict], epochs: int, iterations: int) -> list[dict]:
    """Take the steps of a run that has come so far; return the groups before the last ones."""
    by_epoch = [scheduler for scheduler in schedulers if scheduler.by_epoch]
    by_iteration = [scheduler for scheduler in schedulers if not scheduler.by_epoch]
    earlier = groups
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)  # of steps without the optimizer's
        for iteration in range(1, iterations + 1):
            if iteration == iterations:
                earlier = [dict(group) for group in groups]
            for scheduler in by_iteration:
                scheduler.step()
            if epochs and iteration % (iterations // epochs) == 0:
                for scheduler in by_epoch:
                    scheduler.step()
    return earlier


def _agree(saved: Any, own: Any) -> bool:
    """Compare two settings; the last digits of a rate may depend on the machine."""
    return saved == own or (isinstance(own, float) and math.isclose(saved, own, rel_tol=1e-6))
