"""Whether the values of a config make sense, before data are read and anything long starts."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import Registry
from mmpose.datasets.transforms import (
    GetBBoxCenterScale,
    KeypointConverter,
    RandomBBoxTransform,
    RandomFlip,
    RandomHalfBody,
)
from mmpose.registry import (
    DATASETS,
    HOOKS,
    LOOPS,
    METRICS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    VISBACKENDS,
)
from torch import nn

from ..datasets import CheckBox, TopdownCrop, inner_datasets, leaf_datasets, whole_pipelines
from ..errors import ACNNError, explained
from ..models import ACNN, ACNNHead

SPLITS = ('train', 'val', 'test')
# of an entry, what is meant for MMEngine and not for the class
FOR_BUILDERS = ('type', '_scope_', 'priority', 'constructor', 'paramwise_cfg')

# which leave pixels alone, or, as RandomFlip, look at them in another order
WITHOUT_PIXELS = (
    *(CheckBox, GetBBoxCenterScale, KeypointConverter),
    *(RandomBBoxTransform, RandomFlip, RandomHalfBody),
)


def check_config(cfg: Config) -> None:
    """Check what MMEngine and MMPose take unseen, or would refuse after hours only.

    Raises:
        ACNNError: Naming the first value that is wrong.
    """
    usual = []
    for where, registry, entry in _list_modules(cfg):
        if isinstance(entry, str):
            raise ACNNError(
                f'{where} is {entry!r}, but must be a dict: give dict(type={entry!r}), in a list '
                'where there may be several'
            )
        kind = entry.get('type') if isinstance(entry, dict) else None
        if kind is None and entry and registry not in (LOOPS, OPTIM_WRAPPERS):
            raise ACNNError(f'{where} has an entry without a type, {str(entry)[:100]}: give it one')
        if where.startswith('default_hooks.'):
            usual.append(kind)
        elif where == 'custom_hooks' and kind and kind in usual:
            raise ACNNError(
                f'{kind} of custom_hooks is in default_hooks, too: leave one of them out'
            )
        if isinstance(kind, str):
            _check_options(where, kind, registry.get(kind), entry)
    for split in SPLITS:
        dataset = (cfg.get(f'{split}_dataloader') or {}).get('dataset') or {}
        for leaf in leaf_datasets(dataset):
            _check_mpii_class(split, leaf)
        for pipeline in whole_pipelines(dataset):
            _check_crop_cache(f'the pipeline of {split}_dataloader', pipeline)
    _check_sizes(cfg, _build_model(cfg))


def _check_options(where: str, kind: str, builds: Any, entry: dict[str, Any]) -> None:
    """Refuse a type that nobody knows, or an option of another one, from which it was inherited."""
    if builds is None:
        raise ACNNError(
            f'{where} names {kind!r}, which nobody has registered: correct its type, or import '
            'the module that registers it with custom_imports'
        )
    takes = inspect.signature(builds).parameters
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in takes.values()):
        return
    for name in entry:
        if name not in takes and name not in FOR_BUILDERS:
            raise ACNNError(
                f'{name} is no option of {kind} in {where}: correct it, or, where it was inherited '
                'with another type, set _delete_=True beside the new one'
            )


def _list_modules(cfg: Config) -> Iterator[tuple[str, Registry, Any]]:
    """List what MMEngine builds by name: where in the config, its registry, its entry."""
    wrapper = cfg.get('optim_wrapper') or {}
    yield 'train_cfg', LOOPS, cfg.get('train_cfg')
    yield 'optim_wrapper', OPTIM_WRAPPERS, wrapper
    yield 'optim_wrapper.optimizer', OPTIMIZERS, wrapper.get('optimizer')
    for name, hook in (cfg.get('default_hooks') or {}).items():
        yield f'default_hooks.{name}', HOOKS, hook
    backends = (cfg.get('visualizer') or {}).get('vis_backends')
    for where, registry, entries in (
        ('param_scheduler', PARAM_SCHEDULERS, cfg.get('param_scheduler')),
        ('custom_hooks', HOOKS, cfg.get('custom_hooks')),
        ('val_evaluator', METRICS, cfg.get('val_evaluator')),
        ('test_evaluator', METRICS, cfg.get('test_evaluator')),
        ('visualizer.vis_backends', VISBACKENDS, backends),
    ):
        for entry in entries if isinstance(entries, (list, tuple)) else [entries]:
            yield where, registry, entry
    for where in (f'{split}_dataloader' for split in SPLITS):
        for dataset in inner_datasets((cfg.get(where) or {}).get('dataset')):
            yield f'{where}.dataset', DATASETS, dataset
            for transform in getattr(dataset, 'pipeline', ()):
                yield f'the pipeline of {where}', TRANSFORMS, transform


def _check_crop_cache(where: str, pipeline: list[dict]) -> None:
    """Refuse that another transform than TopdownCrop sees the empty image of a cached crop."""
    kinds = [each['type'] for each in pipeline]
    classes = [TRANSFORMS.get(kind) if isinstance(kind, str) else kind for kind in kinds]
    for i, transform in enumerate(pipeline):
        later = [kind for kind in classes[i + 1 :] if not issubclass(kind, WITHOUT_PIXELS)]
        if transform.get('crop_cache') and not (later and issubclass(later[0], TopdownCrop)):
            raise ACNNError(
                f'crop_cache in {where} needs TopdownCrop as the next transform that may read '
                f'pixels, but there is {later[0].__name__ if later else "nothing"}: put '
                'TopdownCrop there, or leave crop_cache out'
            )


def _check_mpii_class(split: str, dataset: dict) -> None:
    """Refuse joints that are one pixel off, and a limit of unreadable images that has no effect."""
    where, name = f'{split}_dataloader.dataset', dataset.get('type')
    if split == 'train' and name == 'MpiiDataset':
        raise ACNNError(
            f'{where} is MpiiDataset, whose joints count from 1 and pixels from 0: set its type to '
            'MpiiTrainDataset'
        )
    if split != 'train' and name == 'MpiiTrainDataset':
        raise ACNNError(
            f'{where} is MpiiTrainDataset, whose joints count from 0, but scores on MPII need '
            'them from 1: set its type to MpiiDataset'
        )
    if name == 'MpiiTrainDataset' and not dataset.get('pipeline'):
        raise ACNNError(
            f'{where} combines an MpiiTrainDataset without a pipeline, which could not pass over '
            'unreadable images: move LoadReadableImage from the pipeline of the combination to its '
            'own'
        )


def _build_model(cfg: Config) -> nn.Module:
    """Build the model without memory for its weights, which takes a tenth of a second."""
    if 'type' not in (cfg.get('model') or {}):
        raise ACNNError(f'{cfg.filename} has no model: give a config that trains or tests one')
    scope = MODELS.switch_scope_and_registry(cfg.get('default_scope', 'mmpose'))
    wrong = explained(f'the model of {cfg.filename} can not be built', 'correct its arguments')
    with wrong, torch.device('meta'), scope as models:
        return models.build(cfg.model)


def _check_sizes(cfg: Config, model: nn.Module) -> None:
    """Check that backbone, head, codec and pipelines agree on what flows between them."""
    if not isinstance(model, ACNN):
        return
    backbone, head = model.backbone, model.head
    for name, given, wanted in (
        ('num_stages', head.num_stages, backbone.num_stages),
        ('in_channels', head.in_channels, backbone.channels),
    ):
        if given != wanted:
            raise ACNNError(
                f'model.head.{name} is {given}, but the backbone gives {wanted}: set both alike'
            )
    if head.decoder is None:
        raise ACNNError('model.head.decoder is missing: set it to the codec of the pipelines')
    _check_codec(head)
    size, found = _pair(head.decoder.input_size), _pair(head.decoder.heatmap_size)
    heatmap = tuple(side // backbone.stride for side in size)
    if found != heatmap or len(size) != 2:
        raise ACNNError(
            f'model.head.decoder.heatmap_size is {found}, but an input_size of {size} gives '
            f'heatmaps of {heatmap}: give width and height, and set the codec so'
        )
    backbone.check_size(*size[::-1])
    for where, registry, entry in _list_modules(cfg):
        for config in (entry, entry.get('encoder') or {}) if registry is TRANSFORMS else ():
            for key, expected in (('input_size', size), ('heatmap_size', heatmap)):
                if key in config and _pair(config[key]) != expected:
                    raise ACNNError(
                        f'the {key} of {entry["type"]} in {where} is {_pair(config[key])}, but '
                        f'model.head.decoder has {expected}: set both to the same codec'
                    )


def _check_codec(head: ACNNHead) -> None:
    """Check by a try that the codec makes and decodes one heatmap per joint, as the head does."""
    joints = np.zeros((1, head.out_channels, 2), np.float32)
    try:
        heatmaps = head.decoder.encode(joints, np.ones(joints.shape[:2]))['heatmaps']
        head.decoder.decode(heatmaps)
        fits = len(heatmaps) == head.out_channels
    except Exception:  # codecs of other kinds take and give other things
        fits = False
    if not fits:
        raise ACNNError(
            f'model.head.decoder, {type(head.decoder).__name__}, does not make one heatmap per '
            "joint: choose MSRAHeatmap, MegviiHeatmap, or UDPHeatmap with heatmap_type='gaussian'"
        )


def _pair(size: Any) -> tuple[float, ...]:
    """Return a size, (width, height), as numbers that can be compared."""
    return tuple(np.ravel(size).tolist())
