"""MPII for training: joints where they are, and no run lost to an unreadable image."""

from __future__ import annotations

from typing import Any

import torch
from mmpose.datasets.datasets import MpiiDataset
from mmpose.registry import DATASETS

from ..errors import ACNNError
from .loading import UnreadableImageError

MAX_UNREADABLE = 10  # image files, by default


@DATASETS.register_module()
class MpiiTrainDataset(MpiiDataset):
    """MPII with joints that count from 0, and people replaced whose image can not be read.

    MPII counts pixels from 1. :class:`MpiiDataset` shifts the person's center but not the joints,
    and :class:`MpiiPCKAccuracy` adds 1 to predictions, so that a network that is trained on the
    joints as they come is off by one pixel in x and y, and validation needs them as they come.

    Nobody is replaced silently: :class:`UnreadableImagesHook` names the files in the log. The next
    person of the annotation file whose image can be read takes the place. That is the same one in
    every epoch, process and run, so that a resumed run repeats it; MMEngine would draw somebody at
    random.

    That needs the transform that loads images in the data set's own pipeline, also where another
    data set combines several of them.

    Args:
        max_unreadable: How many image files may be unreadable, >= 0.
        **kwargs: Arguments of :class:`MpiiDataset`.

    Attributes:
        unreadable: Whose image could not be read, bool (people,); in shared memory, so that the
            main process sees what worker processes find.

    Raises:
        ACNNError: If ``max_unreadable`` is negative.
    """

    def __init__(self, max_unreadable: int = MAX_UNREADABLE, **kwargs: Any) -> None:
        if max_unreadable < 0:
            raise ACNNError(f'max_unreadable must be at least 0, but is {max_unreadable}')
        self.max_unreadable = max_unreadable
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        """Load the annotations, and shift the joints as MMPose shifts centers."""
        people = super().load_data_list()
        for person in people:
            person['keypoints'] = person['keypoints'] - 1
        return people

    def full_init(self) -> None:
        """Load the annotations."""
        if not self._fully_initialized:
            super().full_init()
            self.unreadable = torch.zeros(len(self), dtype=torch.bool).share_memory_()

    def __getitem__(self, idx: int) -> dict:
        """Return a person's sample, or that of the next one whose image can be read.

        Raises:
            ACNNError: If more than ``max_unreadable`` files had to be passed over for that.
        """
        files = set()
        while True:
            try:
                return super().__getitem__(idx)
            except UnreadableImageError as error:
                self.unreadable[idx] = True
                files.add(self.get_data_info(idx)['img_path'])
                self.check_limit(sorted(files), error)
                idx = (idx + 1) % len(self)

    def unreadable_files(self) -> list[str]:
        """List the image files that could not be read, in the order of the annotation file."""
        indices = self.unreadable.nonzero().flatten().tolist()
        return list(dict.fromkeys(self.get_data_info(i)['img_path'] for i in indices))

    def check_limit(self, files: list[str], cause: Exception | None = None) -> None:
        """Refuse to go on with too many unreadable files.

        Raises:
            ACNNError: Naming the first of them and the limit.
        """
        if len(files) > self.max_unreadable:
            raise ACNNError(
                f'{len(files)} images of the training set can not be read, for example {files[0]}, '
                f'and max_unreadable is {self.max_unreadable}: restore them (tools/check_mpii.py '
                'lists all) and go on with --resume, or set train_dataloader.dataset.max_unreadable'
            ) from cause
