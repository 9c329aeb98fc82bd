"""Whether weights are those of a network."""

from __future__ import annotations

from typing import Any

from torch import nn

MASK_BRANCHES = 'backbone.mask_branches.'


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
