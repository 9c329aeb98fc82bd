"""MPII's test set, whose joints are withheld."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmpose.datasets.datasets import MpiiDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_cs2xyxy

from ..mpii.annotations import PIXEL_STD, read_annotations


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
