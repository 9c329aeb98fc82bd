"""Whether a resumed run goes on as it was trained: same optimizer, schedule and averaging.

MMEngine takes optimizer and schedule as the checkpoint has them, without a word of what the config
says otherwise, and leaves schedulers that only one of the two has as they are.
"""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any

from mmengine.hooks import EMAHook
from mmengine.runner import Runner

from ..errors import ACNNError

# of an optimizer, how it computes, not what
INDIFFERENT = ('params', 'foreach', 'fused', 'capturable', 'differentiable')
# of a scheduler, how far it has come, and its end, which moves with the length of the run
MOVING = ('last_step', 'end', 'verbose')
# what MMEngine's schedulers compute of their end
DERIVED = ('total_iters', 'T_max')


def check_resumption(runner: Runner, checkpoint: dict[str, Any]) -> None:
    """Refuse a config that says otherwise than the checkpoint, about to be resumed, was trained.

    A run that was made longer takes the end of its schedulers from the config, unless their values
    on the way depend on it: MMEngine computes each from the one before, which is on another curve.
    """
    _check_averages(runner, checkpoint)
    groups = [*zip(runner.optim_wrapper.param_groups, checkpoint['optimizer']['param_groups'])]
    for own, saved in groups:
        settings = _group_settings(saved)
        for name, value in _group_settings(own).items():
            _compare(runner, f'optim_wrapper.optimizer.{name}', settings.get(name, value), value)
    schedulers, states = runner.param_schedulers or [], checkpoint.get('param_schedulers') or []
    if isinstance(schedulers, dict):  # of several optimizers; MMEngine's own affair
        return
    _compare(runner, 'the number of entries in param_scheduler', len(states), len(schedulers))
    for index, (scheduler, state) in enumerate(zip(schedulers, states)):
        _check_end(runner, f'param_scheduler.{index}', scheduler, state)
        for name, value in _schedule_settings(scheduler).items():
            _compare(runner, f'param_scheduler.{index}.{name}', state.get(name), value)
        _move_end(scheduler, state, groups)


def _check_end(runner: Runner, name: str, scheduler: Any, state: dict[str, Any]) -> None:
    """Refuse another end of a scheduler whose values on the way depend on it."""
    end, own = state.get('end'), scheduler.state_dict()
    if end != scheduler.end and any(
        key in own and state.get(key, own[key]) != own[key] for key in DERIVED
    ):
        unit = 'epochs' if scheduler.by_epoch else 'iterations'
        raise ACNNError(
            f'{runner._load_from} was trained with a {type(scheduler).__name__} that ends after '
            f'{end} {unit}, and ends after {scheduler.end} in the config, which changes its values '
            f'on the way: set {name}.end to what it was, after which they stay, or start from its '
            'weights in another --work-dir with --cfg-options '
            f'load_from={runner._load_from}'
        )


def _move_end(scheduler: Any, state: dict[str, Any], groups: list[tuple[dict, dict]]) -> None:
    """Move a scheduler's end, and take the steps that MMEngine left out from the old end on.

    Its state in the checkpoint, and the checkpoint's of the pairs of groups, are changed in place.
    """
    end, name, now = scheduler.end, scheduler.param_name, state['_global_step']
    if state['end'] < end and now >= state['end']:
        for own, saved in groups:
            own[name] = saved[name]
        scheduler.load_state_dict({**state, 'end': end})
        for step in range(state['end'], now + 1):
            scheduler._global_step = step - 1
            scheduler.step()
        for own, saved in groups:
            saved[name] = own[name]
        state.update(scheduler.state_dict())
    state['end'] = end


def _check_averages(runner: Runner, checkpoint: dict[str, Any]) -> None:
    """Refuse to go on from averaged weights as if they were the trained ones, or without them."""
    has, wants = 'ema_state_dict' in checkpoint, any(isinstance(h, EMAHook) for h in runner.hooks)
    if has != wants:
        raise ACNNError(
            f'{runner._load_from} was saved {"with" if has else "without"} EMAHook, but the config '
            f'is {"with" if wants else "without"} it: resume with the same hooks'
        )


def _group_settings(group: dict[str, Any]) -> dict[str, Any]:
    """Return what a config sets of an optimizer's group; schedulers keep where they began."""
    return {
        name: group.get(f'initial_{name}', value)
        for name, value in group.items()
        if name not in INDIFFERENT and not name.startswith('initial_')
    }


def _schedule_settings(scheduler: Any) -> dict[str, Any]:
    """Return what a config sets of a scheduler: the arguments that it keeps."""
    arguments = {
        name
        for base in type(scheduler).__mro__
        for name in inspect.signature(vars(base).get('__init__', object.__init__)).parameters
        if name not in MOVING
    }
    return {name: value for name, value in scheduler.state_dict().items() if name in arguments}


def _compare(runner: Runner, name: str, saved: Any, own: Any) -> None:
    if saved != own:
        saved, own = (
            sorted(value.elements()) if isinstance(value, Counter) else value
            for value in (saved, own)
        )
        raise ACNNError(
            f'{runner._load_from} was trained with another optimizer or schedule: {name} was '
            f'{saved}, and is {own} in the config: resume with what it was trained with, or start '
            f'from its weights in another --work-dir with --cfg-options '
            f'load_from={runner._load_from}'
        )
