"""From a config file and command line options to a config that a Runner can run."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from ..datasets import leave_out_unused
from ..errors import ACNNError, explained
from ..files import make_folder
from .config_check import SPLITS, check_config

# hooks that MMEngine itself leaves out where they are None
BUILT_IN = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
# what its Runner reads of a config, even if that has none of it
FOR_RUNNER = {*inspect.signature(Runner).parameters, 'activation_checkpointing', 'compile'}
FOR_RUNNER |= {'efficient_conv_bn_eval', 'find_unused_parameters', 'model_wrapper_cfg', 'sync_bn'}


def load_config(
    path: str, work_dir: str | None = None, cfg_options: dict[str, Any] | None = None
) -> Config:
    """Read a config file of a training or test, and check its values (:func:`check_config`).

    Data sets of which a combination shows nothing, by ``sample_ratio_factor``, are left out, and so
    are ``default_hooks`` that are None.

    Args:
        path: The config file.
        work_dir: Where logs and checkpoints go; by default the config's own ``work_dir``, else
            ``work_dirs/`` and the config's name.
        cfg_options: Overrides such as ``{'optim_wrapper.optimizer.lr': 1e-4}``.
    """
    cfg = read_config(path)
    cfg.work_dir = work_dir or cfg.get('work_dir') or str(Path('work_dirs') / Path(path).stem)
    merge_options(cfg, cfg_options or {}, f'--cfg-options do not fit {path}')
    leave_out_unused((cfg.get('train_dataloader') or {}).get('dataset'))
    hooks = (cfg.get('default_hooks') or {}).items()
    cfg.default_hooks = {k: v for k, v in hooks if v is not None or k in BUILT_IN}
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader') or {}
        if loader.get('num_workers') == 0:
            loader['persistent_workers'] = False  # which torch refuses without workers
    check_config(cfg)
    return cfg


def merge_options(cfg: Config, options: dict[str, Any], complaint: str) -> None:
    """Override values of a config, which is changed in place.

    Args:
        cfg: The config.
        options: By dotted name, the values. In a list, such as a pipeline, a type stands for all
            entries of that type: ``'train_dataloader.dataset.pipeline.RandomFlip.prob'``.
        complaint: The first words of the ACNNError if a name leads nowhere, such as into a number.
    """
    with explained(complaint, 'correct their names'):
        if unread := {name.partition('.')[0] for name in options} - FOR_RUNNER.union(cfg):
            raise KeyError(*unread)
        cfg.merge_from_dict(
            {
                '.'.join(place): value
                for name, value in options.items()
                for place in _places(cfg, name.split('.'))
            }
        )


def _places(node: Any, names: list[str]) -> Iterator[list[str]]:
    """Yield what names stand for where types are put in place of numbers in lists."""
    if not names:
        yield []
        return
    name, *rest = names
    if not isinstance(node, (list, tuple)):
        inner = {name: node.get(name) if hasattr(node, 'get') else None}
    elif name.isdecimal():
        inner = {name: node[int(name)]}
    else:
        inner = {str(i): each for i, each in enumerate(node) if each.get('type') == name}
    if not inner:
        raise IndexError(f'there is no {name}, but {", ".join(each.type for each in node)}')
    for place, each in inner.items():
        yield from ([place, *further] for further in _places(each, rest))


def read_config(path: str) -> Config:
    """Read a config file of any kind; a config file is Python and runs as code."""
    if not Path(path).is_file():
        raise ACNNError(f'config file {path} does not exist')
    for name in ('ACNN_DATA_ROOT', 'ACNN_LSPET_ROOT'):
        if not os.environ.get(name, 'unset'):
            raise ACNNError(f'{name} is set but empty: unset it, or set it to a folder')
    with explained(f'{path} can not be read as a config', 'correct it, or give a config here'):
        return Config.fromfile(path)


def disable_validation(cfg: Config) -> None:
    """Train without validation; there is no best checkpoint then."""
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if cfg.default_hooks.get('checkpoint'):
        cfg.default_hooks.checkpoint.save_best = None


def dump_predictions(cfg: Config, path: str) -> None:
    """Make a test write its predictions to an .npz file (DumpPredictions)."""
    if not path.endswith('.npz'):
        raise ACNNError(f'--dump writes numpy arrays: {path} must end in .npz')
    make_folder(Path(path).parent, 'the folder of --dump')
    given = cfg.test_evaluator
    others = given if isinstance(given, (list, tuple)) else [given]
    cfg.test_evaluator = [*others, dict(type='DumpPredictions', file=path)]


def use_test_set(cfg: Config, out_dir: str) -> None:
    """Make a test predict MPII's test set and write the benchmark's submission to ``out_dir``."""
    make_folder(out_dir, 'the folder of --submission')
    dataset = cfg.test_dataloader.dataset
    dataset.type, dataset.ann_file = 'MpiiTestDataset', 'annotations/mpii_test.json'
    dataset.pop('headbox_file', None)
    annotations = Path(dataset.get('data_root') or '') / 'annotations'
    cfg.test_evaluator = dict(
        type='MpiiSubmission',
        annolist_file=str(annotations / 'mpii_test_annolist.mat'),
        out_dir=out_dir,
    )


def show_predictions(cfg: Config, folder: str) -> None:
    """Make a test draw its predictions into a folder (PoseVisualizationHook)."""
    make_folder(folder, 'the folder of --show-dir')
    hook = cfg.default_hooks.get('visualization', dict(type='PoseVisualizationHook'))
    # absolute, or MMPose would put it below the log's folder
    cfg.default_hooks.visualization = dict(hook, enable=True, out_dir=str(Path(folder).resolve()))
