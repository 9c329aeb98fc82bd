"""A run that can't go on says so early, and keeps the last good checkpoint."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...checkpoints.load import latest_checkpoint
from ...errors import ACNNError
from ...models import unwrap


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
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: dict[str, torch.Tensor],
    ) -> None:
        """Check the loss."""
        is_due = self.every_n_train_iters(runner, self.interval)
        if not is_due and not self.end_of_epoch(runner.train_dataloader, batch_idx):
            return
        loss = outputs['loss']
        if torch.isfinite(loss):
            return
        model = unwrap(runner.model)
        rates = ', '.join(f'{rate:g}' for rate in runner.optim_wrapper.get_lr()['lr'])
        good = latest_checkpoint(runner.work_dir)
        remedy, start = 'no checkpoint is saved yet', ''
        if good:
            remedy, start = f'the last good checkpoint is {good}', f'load_from={good} '
        raise ACNNError(
            f'the loss is {loss.item()} in epoch {runner.epoch + 1}, iteration {runner.iter + 1}, '
            f'phase {model.phase!r}, learning rate {rates}: {remedy}; start anew, in another '
            f'--work-dir, with a lower learning rate (--cfg-options {start}'
            'optim_wrapper.optimizer.lr=...)'
        )
