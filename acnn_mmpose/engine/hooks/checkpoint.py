"""Checkpoints that know the score of their epoch."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...errors import ACNNError


@HOOKS.register_module()
class CheckpointAfterValHook(CheckpointHook):
    """MMEngine's hook, but an epoch is saved once its validation, too, is over.

    MMEngine saves an epoch before it is validated. A run that is killed in the validation resumes
    behind it and never learns the score: a worse epoch may then pass for the best, and the last
    epoch is never validated at all. Here such a run repeats the epoch.

    Args:
        max_keep_ckpts: How many checkpoints to keep; -1 means all.
        **kwargs: Other arguments of MMEngine's :class:`CheckpointHook`.

    Raises:
        ACNNError: If only one checkpoint is to be kept: it is removed before the next is written.
    """

    def __init__(self, max_keep_ckpts: int = -1, **kwargs: Any) -> None:
        if max_keep_ckpts == 1:
            raise ACNNError(
                'max_keep_ckpts=1 would leave no checkpoint to a run that is killed while it '
                'writes the next: keep at least 2'
            )
        super().__init__(max_keep_ckpts=max_keep_ckpts, **kwargs)
        self._is_due = False

    def after_train_epoch(self, runner: Runner) -> None:
        """Note whether the epoch that ends is one to save."""
        self._is_due = self.by_epoch and (
            self.every_n_epochs(runner, self.interval, self.save_begin)
            or (self.save_last and self.is_last_train_epoch(runner))
        )

    def before_train_epoch(self, runner: Runner) -> None:
        """Save the epoch before this one."""
        self._save_if_due(runner)

    def after_train(self, runner: Runner) -> None:
        """Save the last epoch."""
        self._save_if_due(runner)
        super().after_train(runner)

    def _save_if_due(self, runner: Runner) -> None:
        if self._is_due:
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, runner.epoch, meta)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        """Save, whether it is due or MMEngine does because the epoch was the best."""
        self._is_due = False
        super()._save_checkpoint_with_step(runner, step, meta)
