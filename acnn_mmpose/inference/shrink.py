"""Images too large to be drawn on: a heatmap per joint of a panorama takes gigabytes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from mmpose.structures import PoseDataSample, merge_data_samples

MAX_PIXELS = 12_000_000
PIXEL_FIELDS = ('bboxes', 'keypoints', 'stage_keypoints', 'input_center', 'input_scale')


def shrink_to_draw(
    image: np.ndarray, samples: Sequence[PoseDataSample], max_pixels: int = MAX_PIXELS
) -> tuple[np.ndarray, PoseDataSample]:
    """Make a picture of an image and its people, shrunk where it has more than ``max_pixels``.

    Args:
        image: (H, W, 3), BGR, uint8.
        samples: Its people, at least one, one per sample, in pixels of the image.
        max_pixels: The most that height times width may be; with heatmaps, of all people together.

    Returns:
        The picture, RGB, and all people in its pixels, merged as MMPose's visualizers take them.
    """
    height, width = image.shape[:2]
    if 'pred_fields' in samples[0]:  # merging makes a heatmap per joint of each person at once
        max_pixels //= len(samples)
    factor = (max_pixels / (height * width)) ** 0.5
    if factor < 1:
        size = max(1, int(width * factor)), max(1, int(height * factor))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        factors = np.array([size[0] / width, size[1] / height], np.float32)
        samples = [_move(sample, size, factors) for sample in samples]
    return np.ascontiguousarray(image[..., ::-1]), merge_data_samples(samples)


def _move(sample: PoseDataSample, size: tuple[int, int], factors: np.ndarray) -> PoseDataSample:
    """Return a person in pixels of an image of another size (width, height)."""
    moved = sample.clone()
    moved.pred_instances = people = sample.pred_instances.clone()
    moved.set_metainfo(dict(ori_shape=size[::-1], img_shape=size[::-1]))
    for name in ('input_center', 'input_scale'):  # by which heatmaps are placed
        moved.set_metainfo({name: sample.metainfo[name] * factors})
    for name in filter(people.__contains__, PIXEL_FIELDS):
        values = np.asarray(people[name])  # (..., 2), or 4 of a box
        people.set_field(values * np.resize(factors, values.shape[-1]), name)
    return moved
