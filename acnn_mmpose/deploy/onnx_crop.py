"""From a person's box to the crop that the network sees, and back: what MMPose's pipeline does.

Equal to ``GetBBoxCenterScale`` and ``TopdownAffine`` without rotation, to the last bit.
Shape legend: n people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..errors import ACNNError
from ..input_checks import describe_box_problem, describe_size_problem, spell_box, to_bgr


class CropBoxes(NamedTuple):
    """Where crops lie in the image, in its pixels.

    Attributes:
        centers: x and y, (n, 2).
        sizes: Width and height, (n, 2).
    """

    centers: np.ndarray
    sizes: np.ndarray


def check_image(image: Any) -> np.ndarray:
    """Convert an image to BGR, uint8, as MMPose's side of the package does.

    Raises:
        ACNNError: If it is none, or too large.
    """
    image = to_bgr(image)
    problem = describe_size_problem(image.shape)
    if problem:
        raise ACNNError(f'the image {problem}')
    return image


def check_boxes(boxes: Any, shape: Sequence[int]) -> np.ndarray:
    """Check boxes and return them as a float array (n, 4).

    Args:
        boxes: x1, y1, x2, y2 per person, in pixels.
        shape: Height and width of the image.

    Raises:
        ACNNError: Naming the first box in which nobody can be found.
    """
    try:
        boxes = np.asarray(boxes)
        boxes = boxes.reshape(len(boxes), 4)
        # MMPose computes float32 boxes in float32, all others in float64
        boxes = boxes.astype(np.result_type(boxes, np.float32), casting='same_kind')
        if boxes.dtype.kind != 'f':
            raise TypeError
    except (TypeError, ValueError):
        raise ACNNError('boxes must be numbers of shape (n, 4): x1, y1, x2, y2') from None
    for i, box in enumerate(boxes):
        problem = describe_box_problem(box, shape[:2])
        if problem:
            raise ACNNError(f'box {i}, {spell_box(box)}, {problem}')
    return boxes


def find_crop_boxes(boxes: np.ndarray, input_size: Sequence[int], padding: float) -> CropBoxes:
    """Enlarge boxes (n, 4) around their centers to the crops' shape.

    Args:
        boxes: From :func:`check_boxes`.
        input_size: Width and height of a crop, in pixels of the crop.
        padding: How much larger than its box a crop is at least, in width and height.
    """
    aspect = input_size[0] / input_size[1]
    centers = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    width, height = ((boxes[:, 2:] - boxes[:, :2]) * padding).T
    too_flat = width > height * aspect
    sizes = np.where(too_flat, [width, width / aspect], [height * aspect, height]).T
    return CropBoxes(centers, sizes)


def cut_crops(image: np.ndarray, crop_boxes: CropBoxes, input_size: Sequence[int]) -> np.ndarray:
    """Cut crops out of an image, black beyond its border.

    Args:
        image: (H, W, 3), uint8.
        crop_boxes: n of them.
        input_size: Width W' and height H' of a crop, in pixels.

    Returns:
        (n, H', W', 3), uint8.
    """
    width, height = input_size
    crops = np.zeros((len(crop_boxes.centers), height, width, 3), np.uint8)
    for crop, center, size in zip(crops, crop_boxes.centers, crop_boxes.sizes):
        # the matrix from the center, the middle of the left edge, and the corner below a square's,
        # in float32: as MMPose makes it, so that pixels are equal
        middle = center.astype(np.float32)
        left = np.array([center[0] - size[0] * 0.5, center[1]], np.float32)
        source = np.stack([middle, left, left + np.array([0, middle[0] - left[0]], np.float32)])
        target = np.array([[width, height], [0, height], [0, height + width]], np.float32) / 2
        matrix = cv2.getAffineTransform(source, target)
        cv2.warpAffine(image, matrix, (width, height), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def to_image(points: np.ndarray, crop_boxes: CropBoxes, input_size: Sequence[int]) -> np.ndarray:
    """Map points (n, K, 2) from pixels of the crops to pixels of the image."""
    scales = crop_boxes.sizes / np.array(input_size, np.float32)
    corners = crop_boxes.centers - 0.5 * crop_boxes.sizes
    return (points * scales[:, None] + corners[:, None]).astype(np.float32)
