"""Whether weights are those of a network."""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn

MASK_BRANCHES = 'backbone.mask_branches.'  # before the names of task B's weights in a state dict


def unwrap(model: nn.Module) -> Any:
    """Return the model that a distributed run has wrapped, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def describe_mismatch(model: nn.Module, weights: dict[str, Any], masks_optional: bool) -> str:
    """Name the first difference of each kind between a state dict and a model's; empty if they fit.

    Keys of mask branches may be missing or superfluous where they are optional.
    """
    own = model.state_dict()
    given = {key.removeprefix('module.'): value for key, value in weights.items()}
    missing = [key for key in own if key not in given and not key.endswith('num_batches_tracked')]
    unexpected = [key for key in given if key not in own and not key.startswith('data_preproc')]
    if masks_optional:
        missing = [key for key in missing if not key.startswith(MASK_BRANCHES)]
        unexpected = [key for key in unexpected if not key.startswith(MASK_BRANCHES)]
    both = [(key, own[key], given[key]) for key in own if key in given]
    reshaped = [
        f'{key} is {tuple(theirs.shape)} instead of {tuple(ours.shape)}'
        for key, ours, theirs in both
        if ours.shape != theirs.shape
    ]
    retyped = [
        f'{key} is {theirs.dtype} instead of {ours.dtype}'
        for key, ours, theirs in both
        if ours.is_floating_point() != theirs.is_floating_point()
    ]
    kinds = {'shape': reshaped, 'type': retyped, 'missing': missing, 'unexpected': unexpected}
    return ', '.join(
        f'{kind}: {found[0]}' + (f' and {len(found) - 1} more' if len(found) > 1 else '')
        for kind, found in kinds.items()
        if found
    )
