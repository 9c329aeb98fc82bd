"""Whether the values of a config make sense, before data are read and anything long starts."""

from __future__ import annotations

import inspect
import math
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
    METRICS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
)
from torch import nn

from ..datasets import CheckBox, TopdownCrop, inner_datasets, leaf_datasets, whole_pipelines
from ..errors import ACNNError
from ..models import ACNN, ACNNHead

SPLITS = ('train', 'val', 'test')
# of an entry, what is meant for MMEngine and not for the class
FOR_BUILDERS = ('type', '_scope_', 'priority', 'constructor', 'paramwise_cfg')

# which leave pixels alone, or, as RandomFlip, look at them in another order
WITHOUT_PIXELS = (
    CheckBox,
    GetBBoxCenterScale,
    KeypointConverter,
    RandomBBoxTransform,
    RandomFlip,
    RandomHalfBody,
)


def check_config(cfg: Config) -> None:
    """Check the values that MMEngine and MMPose take unseen, or refuse with a traceback.

    Raises:
        ACNNError: Naming the first value that is wrong.
    """
    for split in SPLITS:
        where, loader = f'{split}_dataloader', cfg.get(f'{split}_dataloader') or {}
        for key, least in (('batch_size', 1), ('num_workers', 0)):
            _check_whole(f'{where}.{key}', loader.get(key), least)
        if loader.get('persistent_workers') and not loader.get('num_workers'):
            raise ACNNError(
                f'{where}.persistent_workers needs worker processes: set it to False, or '
                f'{where}.num_workers to 1 or more'
            )
        for dataset in leaf_datasets(loader.get('dataset') or {}):
            _check_mpii_class(split, dataset)
    rate = ((cfg.get('optim_wrapper') or {}).get('optimizer') or {}).get('lr')
    if rate is not None and not (isinstance(rate, (int, float)) and 0 < rate < math.inf):
        raise ACNNError(
            f'optim_wrapper.optimizer.lr must be a finite number above 0, but is {rate!r}'
        )
    for name in ('max_epochs', 'max_iters', 'val_interval'):
        _check_whole(f'train_cfg.{name}', (cfg.get('train_cfg') or {}).get(name), least=1)
    for where, registry, entry in _list_modules(cfg):
        kind = entry.get('type') if isinstance(entry, dict) else None
        if isinstance(kind, str):
            _check_options(where, kind, registry.get(kind), entry)
    for split in SPLITS:
        for pipeline in whole_pipelines((cfg.get(f'{split}_dataloader') or {}).get('dataset')):
            _check_crop_cache(f'the pipeline of {split}_dataloader', pipeline)
    backends = (cfg.get('visualizer') or {}).get('vis_backends') or []
    if isinstance(backends, str):
        raise ACNNError(
            f'visualizer.vis_backends is {backends!r}, but must be a list: set '
            f'visualizer.vis_backends.0.type={backends}'
        )
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
                f'{where}.{name} is no option of {kind}: correct it, or, where it was inherited '
                f'with another type, set {where}._delete_=True beside the new one'
            )


def _list_modules(cfg: Config) -> Iterator[tuple[str, Registry, Any]]:
    """List what MMEngine builds by name: where in the config, its registry, its entry."""
    wrapper = cfg.get('optim_wrapper') or {}
    yield 'optim_wrapper', OPTIM_WRAPPERS, wrapper
    yield 'optim_wrapper.optimizer', OPTIMIZERS, wrapper.get('optimizer')
    for name, hook in (cfg.get('default_hooks') or {}).items():
        yield f'default_hooks.{name}', HOOKS, hook
    lists = [('param_scheduler', PARAM_SCHEDULERS), ('custom_hooks', HOOKS)]
    lists += [(f'{split}_evaluator', METRICS) for split in ('val', 'test')]
    for where, registry in lists:
        entries = cfg.get(where) or []
        for entry in entries if isinstance(entries, (list, tuple)) else [entries]:
            yield where, registry, entry
    for where in (f'{split}_dataloader' for split in SPLITS):
        for dataset in inner_datasets((cfg.get(where) or {}).get('dataset')):
            yield f'{where}.dataset', DATASETS, dataset
            for transform in getattr(dataset, 'pipeline', ()):
                yield f'the pipeline of {where}', TRANSFORMS, transform


def _check_crop_cache(where: str, pipeline: list[dict]) -> None:
    """Refuse that another transform than TopdownCrop sees the empty image of a cached crop."""
    places = [i for i, transform in enumerate(pipeline) if transform.get('crop_cache') is not None]
    for place in places:
        later = [each['type'] for each in pipeline[place + 1 :]]
        reader = next((kind for kind in later if not _is_kind(kind, WITHOUT_PIXELS)), None)
        if not _is_kind(reader, TopdownCrop):
            raise ACNNError(
                f'crop_cache in {where} needs TopdownCrop as the next transform that may read '
                f'pixels, but there is {reader or "nothing"}: put TopdownCrop there, or '
                'leave crop_cache out'
            )


def _is_kind(transform: str | type | None, kinds: type | tuple[type, ...]) -> bool:
    """Whether a transform, by its name or class, is of one of these classes."""
    found = TRANSFORMS.get(transform) if isinstance(transform, str) else transform
    return isinstance(found, type) and issubclass(found, kinds)


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


def _check_whole(name: str, value: Any, least: int) -> None:
    if value is not None and (type(value) is not int or value < least):
        raise ACNNError(f'{name} must be a whole number of at least {least}, but is {value!r}')


def _build_model(cfg: Config) -> nn.Module:
    """Build the model without memory for its weights, which takes a tenth of a second."""
    if 'type' not in (cfg.get('model') or {}):
        raise ACNNError(f'{cfg.filename} has no model: give a config that trains or tests one')
    scope = MODELS.switch_scope_and_registry(cfg.get('default_scope', 'mmpose'))
    try:
        with torch.device('meta'), scope as models:
            return models.build(cfg.model)
    except ACNNError:
        raise
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ACNNError(f'the model of {cfg.filename} can not be built: {error!r}') from error


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
    size = _pair('model.head.decoder.input_size', head.decoder.input_size)
    backbone.check_size(*size[::-1])
    heatmap = tuple(side // backbone.stride for side in size)
    found = _pair('model.head.decoder.heatmap_size', head.decoder.heatmap_size)
    if found != heatmap:
        raise ACNNError(
            f'model.head.decoder.heatmap_size is {found}, but an input '
            f'of {size} gives heatmaps of {heatmap}: set the codec so'
        )
    for where, registry, entry in _list_modules(cfg):
        for config in (entry, entry.get('encoder')) if registry is TRANSFORMS else ():
            for key, expected in (('input_size', size), ('heatmap_size', heatmap)):
                value = config.get(key) if isinstance(config, dict) else None
                label = f'{entry.get("type") if config is entry else "encoder"}.{key} in {where}'
                if value is not None and (pair := _pair(label, value)) != expected:
                    raise ACNNError(
                        f'{label} is {pair}, but model.head.decoder has {expected}: set both to '
                        'the same codec'
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


def _pair(name: str, value: Any) -> tuple[int, int]:
    """Read a size, (width, height), or refuse what is none."""
    is_pair = isinstance(value, (list, tuple, np.ndarray)) and len(value) == 2
    if not is_pair or not all(isinstance(side, (int, np.integer)) for side in value):
        raise ACNNError(f'{name} must be (width, height) in whole pixels, but is {value!r}')
    width, height = value
    return width, height
