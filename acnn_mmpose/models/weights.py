"""Whether weights, and configs of earlier versions, are those of a network."""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn

from ..errors import ACNNError

MASK_BRANCHES = 'backbone.mask_branches.'  # before the names of task B's weights in a state dict

_VARIANT = 'a mask branch of its own, VariedMaskBranch in studies/attention/variants.py'
# arguments that configs of version 0 may have, and what became of them
_MOVED = {
    'mask_bias': 'mask_branch=dict(init_bias=...)',
    'mask_threshold': _VARIANT,
    'mask_temperature': _VARIANT,
    'mask_noise': _VARIANT,
    'mask_stride': _VARIANT,
    'detached_masks': 'mask_branch=dict(detached=...)',
    'reinjected_heatmaps': 'reinjection=..., or type HeatmapsReinjectedNet in studies/attention',
    'adds_discarded': "type='OwnHeatmapsHead' in studies/attention/variants.py",
    'on_background': 'background_only=...',
}


def unwrap(model: nn.Module) -> Any:
    """Return the model that a distributed run has wrapped, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def refuse_moved_arguments(model: dict[str, Any]) -> None:
    """Say what became of arguments that backbone, head and coverage loss no longer have.

    Args:
        model: Config of an ACNN.

    Raises:
        ACNNError: Naming the first one.
    """
    head = model.get('head') or {}
    for part in (model.get('backbone') or {}, head, head.get('coverage_loss') or {}):
        for name in part:
            if name in _MOVED:
                raise ACNNError(
                    f'{part["type"]} has no argument {name!r} any more: it is {_MOVED[name]} now; '
                    'change the config, the weights stay as they are'
                )


def describe_mismatch(model: nn.Module, weights: dict[str, Any], masks_optional: bool) -> str:
    """Describe how weights differ from a model's.

    Args:
        model: An ACNN that is to load them.
        weights: A state dict.
        masks_optional: Whether keys of mask branches may be missing or superfluous.

    Returns:
        One clause that names the first difference of each kind; empty if they fit.
    """
    own = model.state_dict()
    given = {key.removeprefix('module.'): value for key, value in weights.items()}
    missing = [key for key in own if key not in given and not key.endswith('num_batches_tracked')]
    unexpected = [key for key in given if key not in own and not key.startswith('data_preproc')]
    if masks_optional:
        missing = [key for key in missing if not key.startswith(MASK_BRANCHES)]
        unexpected = [key for key in unexpected if not key.startswith(MASK_BRANCHES)]
    reshaped = [
        f'{key} is {tuple(given[key].shape)} instead of {tuple(own[key].shape)}'
        for key in own
        if key in given and given[key].shape != own[key].shape
    ]
    retyped = [
        f'{key} is {given[key].dtype} instead of {own[key].dtype}'
        for key in own
        if key in given and given[key].is_floating_point() != own[key].is_floating_point()
    ]
    parts = []
    for label, found in (
        ('shape', reshaped),
        ('type', retyped),
        ('missing', missing),
        ('unexpected', unexpected),
    ):
        if found:
            more = f' and {len(found) - 1} more' if len(found) > 1 else ''
            parts.append(f'{label}: {found[0]}{more}')
    return ', '.join(parts)
