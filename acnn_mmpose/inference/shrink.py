"""Images too large to be drawn on: a heatmap per joint of a panorama takes gigabytes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from mmpose.structures import PoseDataSample

MAX_PIXELS = 12_000_000
PIXEL_FIELDS = ('bboxes', 'keypoints', 'stage_keypoints', 'input_center', 'input_scale')


def shrink_to_draw(
    image: np.ndarray, samples: Sequence[PoseDataSample], max_pixels: int = MAX_PIXELS
) -> tuple[np.ndarray, list[PoseDataSample]]:
    """Shrink an image of more than ``max_pixels``, and what was predicted on it.

    Args:
        image: (H, W, 3), uint8.
        samples: Its people, one per sample, in pixels of the image.
        max_pixels: The most that height times width may be.

    Returns:
        The image and the people in its pixels; as they were if it is small enough.
    """
    height, width = image.shape[:2]
    factor = (max_pixels / (height * width)) ** 0.5
    if factor >= 1:
        return image, list(samples)
    size = max(1, int(width * factor)), max(1, int(height * factor))
    factors = np.array([size[0] / width, size[1] / height], np.float32)
    small = []
    for sample in samples:
        sample = sample.clone()
        sample.pred_instances = sample.pred_instances.clone()
        sample.set_metainfo(
            dict(
                ori_shape=size[::-1],
                img_shape=size[::-1],
                input_center=sample.input_center * factors,
                input_scale=sample.input_scale * factors,
            )
        )
        for name in PIXEL_FIELDS:
            if name in sample.pred_instances:
                values = np.asarray(sample.pred_instances[name])  # (..., 2), or 4 of a box
                moved = values * np.resize(factors, values.shape[-1])
                sample.pred_instances.set_field(moved, name)
        small.append(sample)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), small
