"""Where a person's crop, and the masks on it, lie in the image.

Cell (column i, row j) of an h x w mask has its middle where a joint decoded at heatmap position
(i, j) lies, as in MMPose's ``revert_heatmap``; positions count from 0 at the middle of a pixel.

Shape legend: I instances, S stages, H x W image, h x w mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures.bbox import get_warp_matrix

from ..errors import ACNNError

OUTSIDE = -1.0


class CropBox(NamedTuple):
    """A person's crop: center (x, y), width and height, in pixels of the image."""

    center: np.ndarray
    scale: np.ndarray

    def to_image(self, width: int, height: int) -> np.ndarray:
        """Return the matrix (2, 3) from a ``width`` x ``height`` crop, or mask, to the image."""
        return get_warp_matrix(self.center, self.scale, 0.0, (width, height), inv=True)

    def to_crop(self, width: int, height: int) -> np.ndarray:
        """Return the matrix (2, 3) from the image to a ``width`` x ``height`` crop."""
        return get_warp_matrix(self.center, self.scale, 0.0, (width, height))

    def corners(self) -> tuple[list[int], list[int]]:
        """Return its first pixel (x, y), and the one after its last."""
        first, end = (self.center + sign * self.scale / 2 for sign in (-1, 1))
        return first.round().astype(int).tolist(), end.round().astype(int).tolist()


def crop_boxes(instances: InstanceData) -> list[CropBox]:
    """Read the crops of I instances, ``input_center`` and ``input_scale`` (I, 2)."""
    if 'attention_masks' not in instances or 'input_center' not in instances:
        raise ACNNError(
            'these predictions carry no attention masks: predict with an ACNN whose config sets '
            'model.test_cfg.output_attention=True'
        )
    places = zip(np.asarray(instances.input_center), np.asarray(instances.input_scale))
    return [CropBox(center, scale) for center, scale in places]


def place_mask(mask: np.ndarray, box: CropBox, shape: Sequence[int]) -> np.ndarray:
    """Map a mask (h, w) from its crop to an image of a shape (H, W), without interpolation.

    Returns:
        (H, W), float32: the mask's value, ``OUTSIDE`` where the image is not part of the crop.
    """
    height, width = mask.shape
    within = cv2.warpAffine(
        mask.astype(np.float32),
        box.to_image(width, height),
        (shape[1], shape[0]),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    (left, top), (right, bottom) = np.maximum(box.corners(), 0)
    placed = np.full(shape, OUTSIDE, np.float32)
    placed[top:bottom, left:right] = within[top:bottom, left:right]
    return placed


def place_stage(instances: InstanceData, stage: int, shape: Sequence[int]) -> np.ndarray:
    """Map the masks M(``stage``), from 1, of all people to the image; what anybody's keeps is kept.

    Returns:
        (H, W), float32 in [0, 1], ``OUTSIDE`` where nobody's crop lies.
    """
    placed = [
        place_mask(masks[stage - 1], box, shape)
        for masks, box in zip(instances.attention_masks, crop_boxes(instances))
    ]
    return np.max(placed, axis=0, initial=OUTSIDE)


def crop_person(
    image: np.ndarray, instances: InstanceData, index: int, size: int
) -> tuple[np.ndarray, InstanceData]:
    """Cut out one person as the network sees it; return that and the person in pixels of the crop.

    Args:
        image: (H, W, 3), uint8.
        instances: All people of the image, keypoints in its pixels.
        index: Which person.
        size: Height of the crop in pixels; its width follows from the mask's shape.
    """
    box = crop_boxes(instances)[index]
    rows, columns = instances.attention_masks.shape[-2:]
    width, height = round(size * columns / rows), size
    matrix = box.to_crop(width, height)
    person = instances[index : index + 1]
    for name in ('keypoints', 'stage_keypoints'):
        if name in person:
            points = np.asarray(person[name], dtype=np.float64)
            moved = cv2.transform(points.reshape(1, -1, 2), matrix)
            person.set_field(moved.reshape(points.shape), name)
    person.input_center = np.array([[width / 2, height / 2]], np.float32)
    person.input_scale = np.array([[width, height]], np.float32)
    return cv2.warpAffine(image, matrix, (width, height)), person
