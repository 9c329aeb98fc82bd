"""Training several phases in order, each from the last checkpoint of the one before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import broadcast_object_list
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS

from ..allocator import keep_freed_memory
from ..checkpoints.load import latest_checkpoint, read_meta
from ..errors import ACNNError
from ..models import PHASES
from ..models.weights import describe_mismatch
from .hooks.checkpoint import awaits_validation
from .hooks.work_dir_lock import hold_work_dir
from .worker_errors import explain_worker_errors


def train_in_order(cfgs: Sequence[Config], resume: str | None = None) -> None:
    """Train one config after the other.

    Args:
        cfgs: Configs with ``work_dir`` set; each but the first starts from the last checkpoint of
            the one before.
        resume: None starts anew; ``'auto'`` skips what is finished, resumes what has a
            checkpoint in its work_dir and starts the rest; a path resumes that checkpoint (one
            config only).

    Raises:
        ACNNError: Before anything is trained, if the configs do not follow each other, or another
            process trains in a work_dir.
    """
    if resume is not None and resume.endswith('.py'):
        raise ACNNError(f'--resume took {resume} for its checkpoint: put it after the configs')
    if resume not in (None, 'auto') and len(cfgs) > 1:
        raise ACNNError(
            f'--resume {resume} names one checkpoint, but {len(cfgs)} configs are given: with '
            'several configs use --resume alone'
        )
    check_sequence(cfgs)
    with ExitStack() as stack:
        for cfg in cfgs:
            stack.enter_context(hold_work_dir(cfg.work_dir, cfg.get('launcher', 'none')))
        for cfg in cfgs if resume is None else ():
            if latest_checkpoint(cfg.work_dir) is not None:
                raise ACNNError(
                    f'{cfg.work_dir} holds the checkpoints of another run: go on with it by '
                    '--resume, choose another --work-dir, or remove the folder'
                )
        _train_all(cfgs, resume)


def _train_all(cfgs: Sequence[Config], resume: str | None) -> None:
    """Train what is not finished."""
    previous = None
    for cfg in cfgs:
        if not set_start(cfg, previous, resume):
            print_log(f'{cfg.work_dir} is finished: skipped', logger='current')
        else:
            # MMEngine keeps visualizers by name: a second one of the same name would be the first,
            # and log into the work_dir of the phase before
            cfg.visualizer = cfg.get('visualizer') or dict(type='PoseLocalVisualizer')
            cfg.visualizer.name = str(Path(cfg.work_dir).resolve())
            with explain_worker_errors(cfg.work_dir):
                _train(cfg)
        previous = _agreed_checkpoint(cfg)


def set_start(cfg: Config, previous: str | None, resume: str | None) -> bool:
    """Set ``cfg.load_from`` and ``cfg.resume``; return whether there is anything left to train.

    Args:
        cfg: The config, changed in place.
        previous: The checkpoint that the phase before ended with, if it was trained just now.
        resume: As in :func:`train_in_order`.
    """
    latest = _agreed_checkpoint(cfg) if resume == 'auto' else resume
    if latest is not None:
        meta = read_meta(latest)
        if resume == 'auto' and _is_finished(cfg, meta):
            return False
        # a load_from of the config is the previous phase's file, which must not be resumed
        cfg.load_from, cfg.resume = latest, True
        # MMEngine takes the seed from the checkpoint only after it has built the data loader
        cfg.randomness = {**cfg.get('randomness', {}), 'seed': meta.get('seed')}
    elif previous is not None:
        cfg.load_from, cfg.resume = previous, False
    return True


def check_sequence(cfgs: Sequence[Config]) -> None:
    """Check that every config can start from what the one before it ends with."""
    if len({Path(cfg.work_dir).resolve() for cfg in cfgs}) < len(cfgs):
        raise ACNNError(
            'two of the configs have the same work_dir: each phase needs one of its own'
        )
    for cfg in cfgs if len(cfgs) > 1 else ():
        if 'phase' not in cfg.model:
            raise ACNNError(
                f'{cfg.filename} trains a {cfg.model.type}, which has no phases that follow each '
                'other: train it alone'
            )
    for before, after in zip(cfgs, cfgs[1:]):
        if PHASES[after.model.phase].follows != before.model.phase:
            raise ACNNError(
                f'phase {after.model.phase!r} can not follow phase {before.model.phase!r}: the '
                "paper's order is pose, attention, joint"
            )
        init_default_scope(after.get('default_scope', 'mmpose'))
        with torch.device('meta'):  # to be compared, no more
            first, second = (MODELS.build(cfg.model) for cfg in (before, after))
        mismatch = describe_mismatch(second, first.state_dict(), masks_optional=False)
        if mismatch:
            raise ACNNError(
                f'{after.filename} can not start from the weights of {before.filename}: {mismatch}'
            )


def _train(cfg: Config) -> None:
    """Train one config and end its data loaders' workers."""
    if get_device() == 'cpu':
        keep_freed_memory()
    runner = Runner.from_cfg(cfg)
    runner.train()
    for loop in (runner.train_loop, runner.val_loop):
        if loop is not None:
            # workers that the garbage collector ends miss the word to stop and cost 5 seconds each
            loop.dataloader._iterator = None


def _agreed_checkpoint(cfg: Config) -> str | None:
    """Find the last checkpoint: the first process's, as soon as processes can tell each other."""
    found = [latest_checkpoint(cfg.work_dir)]
    broadcast_object_list(found)
    return found[0]


def _is_finished(cfg: Config, meta: dict[str, Any]) -> bool:
    is_over = meta['epoch'] >= cfg.train_cfg.get('max_epochs', math.inf)  # without it, soon refused
    return is_over and (cfg.get('val_cfg') is None or not awaits_validation(meta))
