"""From what a plan says to configs that can be trained, and names for the weights they end with."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from acnn_mmpose.engine import check_data, load_config, merge_options

from mmengine.config import Config
from mmengine.registry import Registry
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS

from .plan import Phase, Plan, Run
from .provenance import describe_data

# of a config, what decides which weights come out, and what there does not
DECISIVE = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler')
INDIFFERENT = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor')
DECISIVE_HOOKS = ('EMAHook',)  # the others watch, or belong to every training


class Step(NamedTuple):
    """A phase of a run, ready to train.

    Attributes:
        phase: What the plan says.
        key: The name of the weights that it ends with (see :func:`phase_key`).
        cfg: Its config, with ``work_dir`` set to a folder of that name.
    """

    phase: Phase
    key: str
    cfg: Config


def prepare(plan: Plan, run: Run, work_dir: str) -> list[Step]:
    """Build the configs of a run's phases, and name their weights.

    Raises:
        ACNNError: If data are missing.
    """
    steps: list[Step] = []
    for phase in run.phases:
        cfg = build_config(plan, phase, run.seed)
        check_data(cfg, 'train', 'val')
        data = describe_data(cfg.train_dataloader.dataset)['sha256']
        key = phase_key(cfg, data, steps[-1].key if steps else None)
        cfg.work_dir = str(Path(work_dir) / key)
        steps.append(Step(phase, key, cfg))
    return steps


def build_config(plan: Plan, phase: Phase, seed: int) -> Config:
    """Build the config of a phase: its schedule scaled to its epochs, then its overrides.

    Raises:
        ACNNError: If the config can't be read, or the overrides do not fit it.
    """
    cfg = _read_config(str(plan.folder / phase.config), os.environ.get('ACNN_DATA_ROOT'))
    whole, cfg.train_cfg.max_epochs = cfg.train_cfg.max_epochs, phase.epochs
    for scheduler in cfg.param_scheduler:
        if 'milestones' in scheduler:
            places = [max(1, round(m * phase.epochs / whole)) for m in scheduler.milestones]
            scheduler.milestones = sorted(place for place in places if place < phase.epochs)
    options = {**phase.options, 'randomness.seed': seed}
    merge_options(cfg, options, f'options of experiment {plan.name!r} do not fit {phase.config}')
    return cfg


def _read_config(path: str, data_root: str | None) -> Config:
    """Read a config of this data root, from the file only once: plans name the same few often."""
    return copy.deepcopy(_read_once(path, data_root))


@cache
def _read_once(path: str, data_root: str | None) -> Config:
    return load_config(path)


def last_key(plan: Plan, run: Run, data: str) -> str | None:
    """Name the weights that a run ends with on some training data, which need not be here."""
    key = None
    for phase in run.phases:
        key = phase_key(build_config(plan, phase, run.seed), data, key)
    return key


def phase_key(cfg: Config, data: str, start: str | None) -> str:
    """Name the weights that a training ends with: two with one name are the same training.

    Args:
        cfg: The config; what can't change the weights, such as hooks that watch, does not count.
        data: What identifies the training data.
        start: The name of the weights that it starts from.
    """
    decisive = json.loads(json.dumps({name: cfg.get(name) for name in DECISIVE}))
    decisive['model'].pop('test_cfg', None)
    for name in INDIFFERENT:
        decisive['train_dataloader'].pop(name, None)
    dataset = decisive['train_dataloader']['dataset']
    dataset.pop('data_root', None)
    for step in dataset['pipeline']:
        step['type'] = _stands_for(step['type'], TRANSFORMS)
        step.pop('crop_cache', None)  # the same bits again
        if 'encoder' in step:
            step['encoder']['type'] = _stands_for(step['encoder']['type'], KEYPOINT_CODECS)
    decisive['train_cfg'].pop('val_interval', None)
    hooks = [*filter(None, cfg.default_hooks.values()), *(cfg.get('custom_hooks') or [])]
    hooks = [hook for hook in hooks if hook['type'] in DECISIVE_HOOKS]
    if hooks:
        decisive['custom_hooks'] = hooks
    if cfg.get('auto_scale_lr', {}).get('enable'):
        decisive['auto_scale_lr'] = cfg.auto_scale_lr
    decisive.update(seed=cfg.randomness.seed, data=data, start=start)
    text = json.dumps(decisive, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stands_for(name: str, registry: Registry) -> str:
    """Name the class of MMPose that a class stands in for: this package's give the same bits."""
    bases = registry.get(name).__mro__
    return next((base.__name__ for base in bases if base.__module__.startswith('mmpose.')), name)
