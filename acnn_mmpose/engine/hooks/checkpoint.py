"""Checkpoints that know the score of their epoch, and are either whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import HOOKS

from ...errors import ACNNError
from ...files import write_whole


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local file backend, whose writes can't leave half a file."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file, or raise ACNNError and leave what was there before."""
        remedy = 'the checkpoints before it are intact, mend the disk and go on with --resume'
        write_whole(filepath, obj, remedy)


@HOOKS.register_module()
class CheckpointAfterValHook(CheckpointHook):
    """MMEngine's hook, for runs whose validation may be killed or fail, and that may move.

    MMEngine saves an epoch before its validation. A run that ends in the validation resumes behind
    it and never learns the score: a worse epoch may then pass for the best. Here such a checkpoint
    says that its validation is to come (:func:`awaits_validation`): the resumed run begins with it.
    Once it is over the checkpoint is saved again.

    Of the best checkpoint only the name is taken from the run that is resumed, so that a run in a
    copied or moved folder leaves the files of the original alone.

    Args:
        max_keep_ckpts: How many checkpoints to keep; -1 means all. Not 1: it would be removed
            before the next is written.
        **kwargs: Other arguments of MMEngine's :class:`CheckpointHook`. If the evaluator has no
            such metric as ``save_best`` names, a warning says so.
    """

    best_ckpt_path: str | None

    def __init__(self, max_keep_ckpts: int = -1, **kwargs: Any) -> None:
        if max_keep_ckpts == 1:
            raise ACNNError(
                'max_keep_ckpts=1 would leave no checkpoint to a run that is killed while it '
                'writes the next: keep at least 2'
            )
        super().__init__(max_keep_ckpts=max_keep_ckpts, **kwargs)
        self._unvalidated: int | None = None  # epoch saved before its validation
        self._trains = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Note whether the run goes on with a validation."""
        meta = checkpoint.get('meta', {})
        if runner._resume and awaits_validation(meta):
            self._unvalidated = meta['epoch']

    def before_train(self, runner: Runner) -> None:
        """Find the run's own best checkpoint, and make up for a validation that did not end."""
        if not self.by_epoch or not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ACNNError(
                'runs are saved, validated and resumed by epochs: set train_cfg.by_epoch and '
                'default_hooks.checkpoint.by_epoch to True, and train_cfg.max_epochs'
            )
        super().before_train(runner)
        self._trains = True
        if self.save_best and len(self.key_indicators) == 1:
            self.best_ckpt_path = self._find_here(self.best_ckpt_path)
        elif self.save_best:
            for key, path in self.best_ckpt_path_dict.items():
                self.best_ckpt_path_dict[key] = self._find_here(path)
        if self._unvalidated is not None and self._validation_is_due(runner):
            runner.val_loop.run()

    def _find_here(self, path: str | None) -> str | None:
        """Find the file of a path's name in the run's own folder, or nothing."""
        here = path and self.file_backend.join_path(self.out_dir, Path(path).name)
        return here if here and self.file_backend.exists(here) else None

    def _validation_is_due(self, runner: Runner) -> bool:
        """Decide as MMEngine's loop does after it has trained an epoch."""
        loop = runner.train_loop
        if runner.val_loop is None:
            return False
        loop._decide_current_val_interval()
        is_last = loop.epoch == loop.max_epochs
        return loop.epoch >= loop.val_begin and (loop.epoch % loop.val_interval == 0 or is_last)

    def _save_checkpoint(self, runner: Runner) -> None:
        """Save the epoch that ends, before its validation."""
        self._unvalidated = runner.epoch + 1
        super()._save_checkpoint(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Say whether the validation is to come."""
        checkpoint['meta']['awaits_validation'] = self._unvalidated is not None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Save the best, and the validated epoch again."""
        if not self._trains:
            return  # Runner.val() alone
        is_due, self._unvalidated = self._unvalidated == runner.epoch, None
        super().after_val_epoch(runner, metrics)
        if is_due:
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, runner.epoch, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best if the evaluator gives what it is to be judged by."""
        missing = {*(self.save_best or ())} - {*metrics, 'auto'}
        if missing:
            runner.logger.warning(
                f'no best checkpoint is saved, for the evaluator gives no {missing.pop()!r} '
                f'(metrics: {", ".join(metrics)}): set default_hooks.checkpoint.save_best to one '
                'of them, and rule to greater or less'
            )
        else:
            super()._save_best_checkpoint(runner, metrics)


def awaits_validation(meta: dict[str, Any]) -> bool:
    """Say whether a checkpoint's ``meta`` tells of a validation of its epoch that is to come."""
    return meta.get('awaits_validation', False)
