"""Whether a checkpoint is the one that a phase can start from, resume or be tested with."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import ACNNError
from ..models import ACNN, PHASES
from ..models.weights import MASK_BRANCHES, describe_mismatch

# of the backbone, what decides which mask comes of the same weights
MASK_MEANING = ('mask_mode', 'mask_branch')


def check_checkpoint(model: ACNN, checkpoint: dict[str, Any], file: str, purpose: str) -> None:
    """Refuse a checkpoint whose phase, mask mode, keys or shapes do not fit a model.

    Its ``file`` is named in messages; the purpose is ``'start'``, ``'resume'`` or ``'test'``.
    """
    meta = checkpoint.get('meta', {})
    phase, expected = meta.get('acnn_phase'), _expected_phases(model.phase, purpose)
    wanted = f'a checkpoint of phase {" or ".join(map(repr, expected))}'
    # files from elsewhere name no phase; their weights may still start or test a phase
    if phase not in expected and (phase is not None or purpose == 'resume'):
        raise ACNNError(
            f'{file} holds {f"phase {phase!r}" if phase else "no phase of this package"}, but to '
            f'{purpose} phase {model.phase!r} {wanted} is expected'
        )
    if phase is not None and PHASES[phase].uses_masks:
        for name in MASK_MEANING:
            own = getattr(model.backbone, name)
            trained = meta.get(f'acnn_{name}', own)
            if own != trained:
                raise ACNNError(
                    f'the masks of {file} were trained with {name} {trained!r} and mean something '
                    f'else with {own!r}: set model.backbone.{name}={trained}'
                )
    if purpose == 'resume':
        check_resumable(checkpoint, file)
    masks_start_anew = purpose == 'start' and PHASES[model.phase].follows == 'pose'
    masks_optional = masks_start_anew or not PHASES[model.phase].uses_masks
    weights = checkpoint.get('state_dict', checkpoint)
    resumed = _resumed_tensors(checkpoint) if purpose == 'resume' else {}
    if unsound := describe_unsound(weights) or describe_unsound(resumed):
        raise ACNNError(f'{file} can not be used: {unsound}')
    if mismatch := describe_mismatch(model, weights, masks_optional):
        raise ACNNError(
            f'{file} does not fit the model: {mismatch}; to {purpose} phase {model.phase!r} '
            f'{wanted} with the same num_stages, channels, depth and joints is expected'
        )
    if 'dataset_meta' in meta:
        _check_joints(meta['dataset_meta'], model.head.out_channels, file)


def check_resumable(checkpoint: dict[str, Any], file: str) -> None:
    """Refuse a checkpoint that lacks what a run goes on from, or holds code."""
    if 'optimizer' not in checkpoint:
        raise ACNNError(
            f'{file} holds weights but no state of the optimizer: a run can not resume from it; '
            'start from it with --cfg-options load_from=..., or resume an epoch_N.pth'
        )
    meta = checkpoint.get('meta', {})
    if 'config' in meta:  # no run of MMEngine's writes it, but Runner.resume executes it
        raise ACNNError(
            f'{file} has a config in its meta, which MMEngine would run as code: it is refused'
        )
    counts = meta.get('epoch'), meta.get('iter'), meta.get('seed', 0)
    if not all(type(count) is int and 0 <= count < 2**32 for count in counts):
        raise ACNNError(
            f'{file} does not say from which epoch, iteration and seed to go on: resume another one'
        )


def _resumed_tensors(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Collect by name what a resumed run computes with, beside the weights."""
    moments = {
        f'optimizer.state.{index}.{name}': value
        for index, state in checkpoint['optimizer'].get('state', {}).items()
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }
    return {**checkpoint.get('ema_state_dict', {}), **moments}


def forget_untrained_masks(checkpoint: dict[str, Any]) -> None:
    """Take the mask branches out of a checkpoint of phase ``'pose'``, which did not train them."""
    if checkpoint.get('meta', {}).get('acnn_phase') == 'pose':
        weights = checkpoint['state_dict']
        for key in [key for key in weights if key.startswith(MASK_BRANCHES)]:
            del weights[key]


def describe_unsound(weights: dict[str, Any]) -> str:
    """Describe what in a state dict no model can predict with; empty if there is nothing."""
    for key, value in weights.items():
        if not isinstance(key, str):
            return f'{key!r} is no name of a weight'
        if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
            return f'{key} is no tensor of numbers'
        if not torch.isfinite(value).all():
            return f'{key} is not finite, so the run that saved it had failed; take an earlier one'
    return ''


def _expected_phases(phase: str, purpose: str) -> list[str]:
    """List the phases whose checkpoints serve a purpose."""
    rules = PHASES[phase]
    if purpose == 'test':  # the masks must mean what they meant in training
        return [name for name in PHASES if PHASES[name].uses_masks == rules.uses_masks]
    if purpose == 'resume':
        return [phase]
    return [name for name in (rules.follows, phase) if name is not None]


def _check_joints(dataset_meta: Any, num_joints: int, file: str) -> None:
    """Check what prediction and pictures need to know of the K joints: names, sides and links."""
    try:
        joints = range(num_joints)
        links = dataset_meta['skeleton_links']
        sound = (
            sorted(dataset_meta['flip_indices']) == list(joints)
            and sorted(dataset_meta['keypoint_id2name']) == list(joints)
            and all(start in joints and end in joints for start, end in links)
            and dataset_meta['keypoint_colors'].shape == (num_joints, 3)
            and dataset_meta['skeleton_link_colors'].shape == (len(links), 3)
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise ACNNError(
            f'{file} can not be used: its dataset_meta does not describe the {num_joints} joints '
            'of the model; train on a data set with these joints, or take another file'
        )
