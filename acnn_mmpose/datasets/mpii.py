"""MPII's training set, with joints where they are, and its test set, whose joints are withheld."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpose.datasets.datasets import MpiiDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_cs2xyxy

from ..errors import ACNNError
from ..mpii.annotations import PIXEL_STD, read_annotations
from .loading import UnreadableImageError

MAX_UNREADABLE = 10  # image files, by default


@DATASETS.register_module()
class MpiiTrainDataset(MpiiDataset):
    """MPII with joints that count from 0, and people replaced whose image can not be read.

    MPII counts pixels from 1. :class:`MpiiDataset` shifts the person's center but not the joints,
    and :class:`MpiiPCKAccuracy` adds 1 to predictions, so that a network that is trained on the
    joints as they come is off by one pixel in x and y, and validation needs them as they come.

    Whom :class:`UnreadableImagesHook` names in the log, the next person of the annotation file
    whose image can be read replaces: the same one in every epoch, process and run, where MMEngine
    would draw somebody at random. That needs the transform that loads images in the data set's own
    pipeline, also where another data set combines several of them.

    At most ``max_unreadable`` files, >= 0, may be passed over. ``unreadable``, bool (people,), is
    in shared memory, so that the main process sees what worker processes find.
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
        """Return a person's sample, or that of the next one whose image can be read."""
        files = set()
        for _ in range(len(self)):
            try:
                return super().__getitem__(idx)
            except UnreadableImageError as error:
                self.unreadable[idx] = True
                files.add(self.get_data_info(idx)['img_path'])
                self.check_limit(sorted(files), error)
                idx = (idx + 1) % len(self)
        raise ACNNError(
            f'no image of the training set can be read, for example {min(files)}: restore them '
            '(tools/check_mpii.py lists all) and go on with --resume'
        )

    def unreadable_files(self) -> list[str]:
        """List the image files that could not be read, in the order of the annotation file."""
        indices = self.unreadable.nonzero().flatten().tolist()
        return list(dict.fromkeys(self.get_data_info(i)['img_path'] for i in indices))

    def check_limit(self, files: list[str], cause: Exception | None = None) -> None:
        """Refuse to go on with more than ``max_unreadable`` unreadable files."""
        if len(files) > self.max_unreadable:
            raise ACNNError(
                f'{len(files)} images of the training set can not be read, for example {files[0]}, '
                f'and max_unreadable is {self.max_unreadable}: restore them (tools/check_mpii.py '
                'lists all) and go on with --resume, or set train_dataloader.dataset.max_unreadable'
            ) from cause


@DATASETS.register_module()
class MpiiTestDataset(MpiiDataset):
    """MPII without joints: people located by ``center`` and ``scale`` alone.

    Crops are exactly those that :class:`MpiiDataset` makes. Each sample carries its entry of the
    annotation file as ``raw_ann_info``, so that a prediction finds its place in a submission.
    """

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        """Load ``mpii_test.json``."""
        entries = read_annotations(Path(self.ann_file), has_joints=False)
        instances = [self._to_instance(index, entry) for index, entry in enumerate(entries)]
        images = {i['img_id']: {key: i[key] for key in ('img_id', 'img_path')} for i in instances}
        return instances, list(images.values())

    def _to_instance(self, index: int, entry: dict) -> dict:
        # the arithmetic of MpiiDataset, one scalar at a time for the same rounding
        scale = np.array([entry['scale']] * 2, dtype=np.float32) * PIXEL_STD
        center = np.array(entry['center'], dtype=np.float32)
        center[1] = center[1] + 15.0 / PIXEL_STD * scale[1]  # don't crop the feet
        center, scale = (center - 1)[None], scale[None]  # pixels count from 0
        return {
            'id': index,
            'img_id': int(Path(entry['image']).stem),
            'img_path': str(Path(self.data_prefix['img']) / entry['image']),
            'bbox_center': center,
            'bbox_scale': scale,
            'bbox': bbox_cs2xyxy(center, scale),
            'bbox_score': np.ones(1, dtype=np.float32),
            'category_id': [1],
            'raw_ann_info': entry,
        }
