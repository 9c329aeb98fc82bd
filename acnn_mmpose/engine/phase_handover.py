"""The hand-over from phase to phase: no phase starts from the wrong weights."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import HOOKS

from ..errors import ACNNError
from ..models import ACNN, PHASES
from .checkpoints import latest_checkpoint

MASK_BRANCHES = 'backbone.mask_branches.'


@HOOKS.register_module()
class PhaseHandoverHook(Hook):
    """Checks every checkpoint before it is loaded, and records the phase in those it saves.

    A phase starts from the checkpoint that its predecessor ended with, ``'attention'`` from
    ``'pose'`` and ``'joint'`` from ``'attention'``, or from one of its own to fine-tune. A resumed
    run must resume its own phase. MMEngine alone would start from random weights where no
    checkpoint is given, and only log a warning where keys or shapes do not match.

    Mask branches are the only keys that ``'attention'`` may find missing; those of a ``'pose'``
    checkpoint are untrained and are left out, so that task B starts as the config says.

    Raises:
        ACNNError: Before the first step, naming the file at fault and the one that is expected.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Refuse to train a later phase from random weights."""
        phase = _model(runner).phase
        previous = PHASES[phase].follows
        if runner._resume and runner._load_from is None:
            # MMEngine would resume nothing where its note of the last checkpoint is missing
            runner._load_from = latest_checkpoint(runner.work_dir)
        if _is_training(runner) and previous is not None and runner._load_from is None:
            raise ACNNError(
                f'phase {phase!r} must start from the last checkpoint of phase {previous!r}: '
                'give it with --cfg-options load_from=WORK_DIR/epoch_N.pth, or train the phases '
                'in order with one command, tools/train.py PHASE1.py PHASE2.py PHASE3.py'
            )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Check phase, keys and shapes of a checkpoint that is about to be loaded."""
        model = _model(runner)
        purpose, expected = _expected_phases(runner, model.phase)
        file, meta = runner._load_from, checkpoint.get('meta', {})
        phase = meta.get('acnn_phase')
        # files from elsewhere name no phase; their weights may still start or test a phase
        if phase not in expected and (phase is not None or purpose == 'resume'):
            raise ACNNError(
                f'{file} holds {f"phase {phase!r}" if phase else "no phase of this package"}, but '
                f'to {purpose} phase {model.phase!r} a checkpoint of phase '
                f'{" or ".join(map(repr, expected))} is expected'
            )
        if phase is not None and PHASES[phase].uses_masks:
            mode = model.backbone.mask_mode
            trained = meta.get('acnn_mask_mode', mode)
            if mode != trained:
                raise ACNNError(
                    f'the masks of {file} were trained with mask_mode {trained!r} and mean '
                    f'something else in mode {mode!r}: set model.backbone.mask_mode={trained}'
                )
        weights = checkpoint.get('state_dict', checkpoint)
        masks_start_anew = purpose == 'start' and model.phase == 'attention'
        if masks_start_anew and phase == 'pose':
            for key in [key for key in weights if key.startswith(MASK_BRANCHES)]:
                del weights[key]
        masks_optional = masks_start_anew or not PHASES[model.phase].uses_masks
        mismatch = describe_mismatch(model, weights, masks_optional)
        if mismatch:
            raise ACNNError(
                f'{file} does not fit the model: {mismatch}; to {purpose} phase {model.phase!r} a '
                f'checkpoint of phase {" or ".join(map(repr, expected))} with the same num_stages, '
                'channels, depth and joints is expected'
            )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Record the phase and the mask mode that the weights come from."""
        model = _model(runner)
        checkpoint['meta'].update(acnn_phase=model.phase, acnn_mask_mode=model.backbone.mask_mode)


def _model(runner: Runner) -> ACNN:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if not isinstance(model, ACNN):
        raise ACNNError(
            f"PhaseHandoverHook is for a model of type 'ACNN', not {type(model).__name__!r}: "
            'remove it from custom_hooks'
        )
    return model


def _is_training(runner: Runner) -> bool:
    # Runner.train() builds its loop before it loads a checkpoint; test() and val() leave the config
    return isinstance(runner._train_loop, BaseLoop)


def _expected_phases(runner: Runner, phase: str) -> tuple[str, list[str]]:
    """Say what the checkpoint is loaded for, and of which phases it may be."""
    rules = PHASES[phase]
    if not _is_training(runner):  # the masks must mean what they meant in training
        return 'test', [name for name in PHASES if PHASES[name].uses_masks == rules.uses_masks]
    if runner._resume:
        return 'resume', [phase]
    return 'start', [name for name in (rules.follows, phase) if name is not None]


def describe_mismatch(model: ACNN, weights: dict[str, Any], masks_optional: bool) -> str:
    """Describe how weights differ from a model's.

    Args:
        model: The model that is to load them.
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
    parts = []
    for label, found in (('shape', reshaped), ('missing', missing), ('unexpected', unexpected)):
        if found:
            more = f' and {len(found) - 1} more' if len(found) > 1 else ''
            parts.append(f'{label}: {found[0]}{more}')
    return ', '.join(parts)
