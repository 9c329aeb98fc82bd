"""From a person's box to the crop that the network sees, and from its heatmaps to keypoints.

To the last bit what MMPose does by ``GetBBoxCenterScale``, ``TopdownAffine`` without rotation, the
``MSRAHeatmap`` codec and the flip test. Shape legend: n people, K joints, h x w heatmap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..errors import ACNNError
from ..input_checks import describe_box_problem, describe_size_problem, spell_box, to_bgr


class CropBoxes(NamedTuple):
    """Where crops lie in the image, in its pixels: x and y (n, 2), width and height (n, 2)."""

    centers: np.ndarray
    sizes: np.ndarray


def check_image(image: Any) -> np.ndarray:
    """Convert an image to BGR, uint8, as :class:`LoadReadableImage` does; refuse too large ones."""
    image = to_bgr(image)
    problem = describe_size_problem(image.shape)
    if problem:
        raise ACNNError(f'the image {problem}')
    return image


def check_boxes(boxes: Any, shape: Sequence[int]) -> np.ndarray:
    """Check boxes x1, y1, x2, y2 in an image of a shape (H, W); return a float array (n, 4).

    None is one box, the whole image.
    """
    if boxes is None:
        boxes = [[0, 0, shape[1], shape[0]]]
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
    """Enlarge boxes (n, 4) around their centers to the crops' shape (width, height).

    By ``padding`` a crop is at least larger than its box, in width and height.
    """
    aspect = input_size[0] / input_size[1]
    centers = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    width, height = ((boxes[:, 2:] - boxes[:, :2]) * padding).T
    too_flat = width > height * aspect
    sizes = np.where(too_flat, [width, width / aspect], [height * aspect, height]).T
    return CropBoxes(centers, sizes)


def cut_crops(image: np.ndarray, crop_boxes: CropBoxes, input_size: Sequence[int]) -> np.ndarray:
    """Cut crops (n, H', W', 3) of size (W', H') out of an image (H, W, 3), uint8, black outside."""
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


def merge_mirrored(
    heatmaps: np.ndarray, mirrored: np.ndarray, flip_indices: Sequence[int], shift: bool
) -> np.ndarray:
    """Average the heatmaps (n, K, h, w) of crops and of the mirrored crops.

    With ``shift`` the mirrored ones move right by one cell; the first column stays, too.
    """
    back = mirrored[:, flip_indices, :, ::-1]
    if shift:
        back = np.concatenate([back[..., :1], back[..., :-1]], axis=-1)
    return (heatmaps + back) * np.float32(0.5)


def decode_heatmaps(
    heatmaps: np.ndarray, input_size: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Find each joint at its heatmap's maximum (Eq. 5), a quarter of a cell to the higher side.

    In x and in y the quarter is added where the maximum is at least two cells from the start and
    one from the end of that axis, and not in the first line of the other. A heatmap without a
    positive value has its joint at cell (-1, -1).

    Returns:
        Points (n, K, 2) in pixels of the crops, of a size (width, height), and scores (n, K).
    """
    n, k, height, width = heatmaps.shape
    best = heatmaps.reshape(n, k, height * width).argmax(axis=-1)
    y, x = np.divmod(best, width)
    person, joint = np.ogrid[:n, :k]
    scores = heatmaps[person, joint, y, x]

    inner_x = (x > 1) & (x < width - 1) & (y > 0)
    inner_y = (y > 1) & (y < height - 1) & (x > 0)
    left, right = np.where(inner_x, x - 1, x), np.where(inner_x, x + 1, x)
    above, below = np.where(inner_y, y - 1, y), np.where(inner_y, y + 1, y)
    dx = heatmaps[person, joint, y, right] - heatmaps[person, joint, y, left]
    dy = heatmaps[person, joint, below, x] - heatmaps[person, joint, above, x]

    cells = np.stack([x, y], axis=-1) + 0.25 * np.sign(np.stack([dx, dy], axis=-1))
    cells[scores <= 0] = -1
    return cells * (np.array(input_size) / (width, height)), scores
