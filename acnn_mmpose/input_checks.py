"""Which images and boxes can be used; needs no torch and no MMPose."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .errors import ACNNError

MAX_SIDE = 32_766  # px; more than that cv2.warpAffine, which cuts out people, does not take
MAX_COORDINATE = 1e6  # px; far beyond every image, and small enough for float32 arithmetic


def to_bgr(image: np.ndarray) -> np.ndarray:
    """Convert an image to BGR, (H, W, 3), uint8; one that is so stays itself.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) in BGR or (H, W, 4) in BGRA, uint8 or uint16.

    Raises:
        ACNNError: If it is something else.
    """
    image = np.asarray(image)
    channels = image.shape[2] if image.ndim == 3 else 1
    is_image = image.ndim in (2, 3) and image.size and channels in (1, 3, 4)
    if not is_image or image.dtype not in (np.uint8, np.uint16):
        raise ACNNError(
            f'an array of shape {image.shape} and type {image.dtype} is no image: give height x '
            'width x 3 (BGR) of type uint8'
        )
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if channels == 3:
        return image
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR)


def describe_size_problem(shape: Sequence[int]) -> str:
    """Say what is wrong with an image's height and width, in pixels; empty if nothing is."""
    height, width = shape[:2]
    if max(height, width) <= MAX_SIDE:
        return ''
    return (
        f'has {width}x{height} px: shrink it, {MAX_SIDE} px per side are the most that can be used'
    )


def describe_box_problem(box: Sequence[float], shape: Sequence[int] | None = None) -> str:
    """Say what is wrong with a box, and what to give instead; empty if it can be used.

    Args:
        box: x1, y1, x2, y2, in pixels.
        shape: Height and width of the image, if known.
    """
    x1, y1, x2, y2 = (float(value) for value in box)
    wanted = 'give x1, y1, x2, y2 in pixels, with x1 < x2 and y1 < y2'
    if not (np.abs([x1, y1, x2, y2]) <= MAX_COORDINATE).all():
        return f'is not made of finite numbers of a sensible size: {wanted}'
    if x1 >= x2 or y1 >= y2:
        return f'has no area: {wanted}'
    if shape is not None:
        height, width = shape
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            return f'lies outside the image of {width}x{height} px (width x height): {wanted}'
    return ''


def spell_box(box: Sequence[float]) -> str:
    """Write a box for a message."""
    return f'[{", ".join(f"{value:g}" for value in box)}]'
