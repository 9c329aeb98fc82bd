"""Images that could not be read in training: named once, and not too many of them."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...datasets import MpiiTrainDataset, inner_datasets


@HOOKS.register_module()
class UnreadableImagesHook(Hook):
    """Logs every file that :class:`MpiiTrainDataset` had to pass over, on all processes together.

    More than the data set allows is an ACNNError on all processes at once.

    Args:
        interval: Iterations between checks, >= 1. The end of an epoch is always checked.
    """

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self.named: set[str] = set()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict[str, torch.Tensor] | None = None,
    ) -> None:
        """Gather what the processes found."""
        is_due = self.every_n_train_iters(runner, self.interval)
        if is_due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            for dataset in inner_datasets(runner.train_dataloader.dataset):
                if isinstance(dataset, MpiiTrainDataset):
                    self._report(runner, dataset)

    def _report(self, runner: Runner, dataset: MpiiTrainDataset) -> None:
        found = dataset.unreadable.to(torch.uint8)
        all_reduce(found, 'max')
        dataset.unreadable |= found.bool()
        files = dataset.unreadable_files()
        for file in files:
            if file not in self.named:
                self.named.add(file)
                runner.logger.warning(
                    f'image {file} can not be read: the next person of the annotation file takes '
                    f'the place of its people (unreadable: {len(self.named)} images, at most '
                    f'{dataset.max_unreadable} are allowed)'
                )
        dataset.check_limit(files)
