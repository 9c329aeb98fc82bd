"""A run that can't go on says so early, and keeps the last good checkpoint."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...checkpoints.load import latest_checkpoint
from ...errors import ACNNError


@HOOKS.register_module()
class LossGuardHook(Hook):
    """Ends a run whose loss is NaN or infinite with an ACNNError, before such weights are saved.

    Args:
        interval: Iterations between checks, >= 1; reading the loss makes a GPU wait. The last
            iteration of an epoch is always checked.
    """

    priority = 'ABOVE_NORMAL'  # before the checkpoint is saved

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: dict[str, torch.Tensor]
    ) -> None:
        """Check the loss."""
        is_last = self.end_of_epoch(runner.train_dataloader, batch_idx)
        is_due = is_last or self.every_n_train_iters(runner, self.interval)
        if not is_due or torch.isfinite(outputs['loss']):
            return
        rates = ', '.join(f'{rate:g}' for rate in runner.optim_wrapper.get_lr()['lr'])
        good = latest_checkpoint(runner.work_dir)
        raise ACNNError(
            f'the loss is {outputs["loss"].item()} in epoch {runner.epoch + 1}, iteration '
            f'{runner.iter + 1}, learning rate {rates}: '
            + (f'the last good checkpoint is {good}' if good else 'no checkpoint is saved yet')
            + '; start anew, in another --work-dir, with a lower learning rate (--cfg-options '
            + (f'load_from={good} ' if good else '')
            + 'optim_wrapper.optimizer.lr=...)'
        )
