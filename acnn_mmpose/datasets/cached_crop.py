"""Reading the crop of a person from disk instead of the photograph.

A crop is a part of the photograph, pixel by pixel and uncompressed. Its file name is a fingerprint
of all that it was made from: of a photograph or a box that has changed since, there is no crop.
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np

from ..errors import ACNNError, explained

# times the box that the data set gives: 1.5 times what is shown without scaling and rotation,
# because GetBBoxCenterScale pads the box to 1.25 times its size
CROP_FACTOR = 1.25 * 1.5
HEADER = '<ii'  # height and width of the photograph; then the crop's rows, BGR
HEADER_SIZE = struct.calcsize(HEADER)
SUFFIX = '.crop'
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
        return Rectangle(*np.clip(self, 0, (width, height, width, height)).tolist())

    def contains(self, other: Rectangle) -> bool:
        """Whether no pixel of the other one is outside this one."""
        starts, ends = zip(self[:2], other[:2]), zip(self[2:], other[2:])
        return all(a <= b for a, b in starts) and all(a >= b for a, b in ends)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Indices into an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


class CachedCrop(NamedTuple):
    """The crop of a person: its file, open behind the header, and where in a photograph it is."""

    file: BinaryIO
    rectangle: Rectangle
    shape: tuple[int, int]  # height and width of the photograph, in pixels

    def load(self, wanted: Rectangle) -> np.ndarray | None:
        """Return an otherwise empty photograph (H, W, 3), BGR, uint8, with the pixels wanted of it.

        None if the crop does not hold all of them.
        """
        own = self.rectangle
        with self.file:
            if not own.contains(wanted):
                return None
            left, top = wanted.left - own.left, wanted.top - own.top
            height, width = wanted.shape
            row = (own.shape[1], 3)
            self.file.seek(top * math.prod(row), os.SEEK_CUR)
            rows = np.fromfile(self.file, np.uint8, height * math.prod(row)).reshape(height, *row)
            photograph = np.empty((*self.shape, 3), np.uint8)
            photograph[wanted.slices] = rows[:, left : left + width]
            return photograph


def find_crop(folder: Path, person: dict[str, Any]) -> CachedCrop | None:
    """Find the crop of a person and a photograph as they are now; warn if there is none.

    The person is a data set's sample, with ``img_path``, ``bbox_center`` and ``bbox_scale``.
    """
    try:
        file = crop_file(folder, person).open('rb', buffering=0)
    except OSError:
        warnings.warn(
            f'{folder} has no crops of some people, or their photographs or boxes have changed: '
            'the photographs are used instead, which takes longer; tools/cache_crops.py adds what '
            'is missing',
            stacklevel=2,
        )
        return None
    header = file.read(HEADER_SIZE)
    shape = struct.unpack(HEADER, header) if len(header) == HEADER_SIZE else (0, 0)
    rectangle = crop_rectangle(person).clip(shape)
    if os.fstat(file.fileno()).st_size != HEADER_SIZE + 3 * math.prod(rectangle.shape):
        raise ACNNError(f'{file.name} is damaged: delete it and run tools/cache_crops.py again')
    return CachedCrop(file, rectangle, shape)


def crop_rectangle(person: dict[str, Any]) -> Rectangle:
    """Return what of a photograph is kept of a person; it may reach beyond the photograph."""
    with explained('the data set gives no crop boxes', "cache crops of MPII's data sets only"):
        (center,), (scale,) = person['bbox_center'], person['bbox_scale']
    half = CROP_FACTOR / 2 * max(scale)  # square, as the network's input
    left, top = np.floor(center - half).astype(int).tolist()
    right, bottom = np.ceil(center + half).astype(int).tolist()
    return Rectangle(left, top, right, bottom)


def sampled_rectangle(matrix: np.ndarray, size: tuple[int, int]) -> Rectangle:
    """Find the pixels that warping by a matrix (2, 3) to ``size`` (width, height) reads."""
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


def crop_file(folder: Path, person: dict[str, Any]) -> Path:
    """Name a person's file after all that decides on its content.

    That is the photograph's name, size in bytes and time of modification, the rectangle, and the
    version of the library that decodes. Without a photograph it is an OSError.
    """
    photograph = Path(person['img_path'])
    status = photograph.stat()
    made_from = (photograph.name, status.st_size, status.st_mtime_ns, *crop_rectangle(person))
    text = repr((*made_from, cv2.__version__))
    return folder / (hashlib.sha256(text.encode()).hexdigest()[:32] + SUFFIX)
