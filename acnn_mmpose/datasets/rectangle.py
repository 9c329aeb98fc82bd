"""Which pixels of a photograph are needed to cut somebody out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

MARGIN = 2  # px beyond the outermost sampling points; linear interpolation reads 1


class Rectangle(NamedTuple):
    """A rectangle of whole pixels; right and bottom are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    def clip(self, shape: Sequence[int]) -> Rectangle:
        """Cut off what is outside an image of this height and width."""
        height, width = shape
        left, right = np.clip([self.left, self.right], 0, width).tolist()
        top, bottom = np.clip([self.top, self.bottom], 0, height).tolist()
        return Rectangle(left, top, right, bottom)

    def contains(self, other: Rectangle) -> bool:
        """Whether no pixel of the other one is outside this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Indices into an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def sampled_rectangle(matrix: np.ndarray, size: tuple[int, int]) -> Rectangle:
    """Find the pixels that warping reads.

    Args:
        matrix: (2, 3), from the image to the warped image.
        size: Width and height of the warped image.

    Returns:
        The rectangle, which may lie outside the image.
    """
    width, height = size
    corners = np.array([[(0, 0), (width, 0), (0, height), (width, height)]], dtype=np.float64)
    (points,) = cv2.transform(corners, cv2.invertAffineTransform(matrix))
    left, top = np.floor(points.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(points.max(axis=0)).astype(int).tolist()
    return Rectangle(left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)


def flip_rectangle(rectangle: Rectangle, shape: Sequence[int], flip: int | None) -> Rectangle:
    """Return where a rectangle of the flipped image is in the image; ``flip`` is cv2's code."""
    height, width = shape
    left, top, right, bottom = rectangle
    if flip in (1, -1):
        left, right = width - right, width - left
    if flip in (0, -1):
        top, bottom = height - bottom, height - top
    return Rectangle(left, top, right, bottom)
