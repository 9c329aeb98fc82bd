"""The hand-over from phase to phase: no phase starts from the wrong weights."""

from __future__ import annotations

from typing import Any

import mmpose
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import HOOKS

from ...checkpoints.load import latest_checkpoint
from ...checkpoints.validate import MASK_MEANING, check_checkpoint, forget_untrained_masks
from ...errors import ACNNError, explained
from ...models import ACNN, PHASES, unwrap
from ...version import __version__
from ..resume_check import check_resumption


@HOOKS.register_module()
class PhaseHandoverHook(Hook):
    """Checks every checkpoint before it is loaded, and records the phase in those it saves.

    A phase starts from the checkpoint that its predecessor ended with (``PHASES``), or from one of
    its own to fine-tune. A resumed run must resume its own phase. MMEngine alone would start from
    random weights where no checkpoint is given, and only log a warning where keys or shapes do not
    match.

    Mask branches are the only keys that a phase after ``'pose'`` may find missing; those of a
    ``'pose'`` checkpoint are untrained and are left out, so that task B starts as the config says.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Refuse to train a later phase from random weights."""
        phase = _model(runner).phase
        previous = PHASES[phase].follows
        if runner._resume and runner._load_from is None:
            # MMEngine would resume nothing where its note of the last checkpoint is missing
            runner._load_from = latest_checkpoint(runner.work_dir)
        if _purpose(runner) != 'test' and previous is not None and runner._load_from is None:
            raise ACNNError(
                f'phase {phase!r} must start from the last checkpoint of phase {previous!r}: '
                'give it with --cfg-options load_from=WORK_DIR/epoch_N.pth, or train the phases '
                'in order with one command, tools/train.py PHASE1.py PHASE2.py PHASE3.py'
            )
        if runner._resume:
            what = f'{runner._load_from} can not be resumed'
            remedy = 'resume an undamaged file of a run with the same optimizer and schedule'
            runner.resume = explained(what, remedy)(runner.resume)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Check phase, keys and shapes of a checkpoint that is about to be loaded."""
        model = _model(runner)
        purpose = _purpose(runner)
        check_checkpoint(model, checkpoint, runner._load_from, purpose)
        if purpose == 'resume':
            check_resumption(runner, checkpoint)
        if purpose == 'start' and PHASES[model.phase].follows == 'pose':
            forget_untrained_masks(checkpoint)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Record the phase and versions that the weights come from, and what their masks mean."""
        model = _model(runner)
        meaning = {f'acnn_{name}': getattr(model.backbone, name) for name in MASK_MEANING}
        versions = {
            'acnn_mmpose': __version__,
            'mmpose': mmpose.__version__,
            'torch': str(torch.__version__),
        }
        checkpoint['meta'].update(acnn_phase=model.phase, acnn_versions=versions, **meaning)


def _model(runner: Runner) -> ACNN:
    model = unwrap(runner.model)
    if not isinstance(model, ACNN):
        raise ACNNError(
            f"PhaseHandoverHook is for a model of type 'ACNN', not {type(model).__name__!r}: "
            'set phase_handover, attention_stats and story_board of default_hooks to None'
        )
    return model


def _purpose(runner: Runner) -> str:
    """Say what a checkpoint is loaded for."""
    # Runner.train() builds its loop before it loads a checkpoint; test() and val() leave the config
    if not isinstance(runner._train_loop, BaseLoop):
        return 'test'
    return 'resume' if runner._resume else 'start'
