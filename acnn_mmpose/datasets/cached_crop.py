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
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np

from ..errors import ACNNError
from .rectangle import Rectangle

# times the box that the data set gives: 1.5 times what is shown without scaling and rotation,
# because GetBBoxCenterScale pads the box to 1.25 times its size
CROP_SIZE = 1.25 * 1.5
HEADER = '<ii'  # height and width of the photograph; then the crop's rows, BGR
SUFFIX = '.crop'


class CachedCrop(NamedTuple):
    """The crop of a person.

    Attributes:
        file: Its file, open behind its header.
        rectangle: Where the crop is in the photograph.
        shape: Height and width of the photograph, in pixels.
    """

    file: BinaryIO
    rectangle: Rectangle
    shape: tuple[int, int]

    def load(self, rectangle: Rectangle) -> np.ndarray | None:
        """Place the crop in an otherwise empty photograph.

        Args:
            rectangle: The pixels that are needed, within the photograph.

        Returns:
            The photograph (H, W, 3), BGR, uint8, in which only the rectangle matters; None if the
            crop does not hold all of it.
        """
        with self.file:
            if not self.rectangle.contains(rectangle):
                return None
            left, top = rectangle.left - self.rectangle.left, rectangle.top - self.rectangle.top
            height, width = rectangle.shape
            row = (self.rectangle.shape[1], 3)
            self.file.seek(top * math.prod(row), os.SEEK_CUR)
            rows = np.fromfile(self.file, np.uint8, height * math.prod(row)).reshape(height, *row)
            photograph = np.empty((*self.shape, 3), np.uint8)
            photograph[rectangle.slices] = rows[:, left : left + width]
            return photograph


def find_crop(folder: Path, person: dict[str, Any]) -> CachedCrop | None:
    """Find the crop of a person and a photograph as they are now.

    Args:
        folder: The folder with the crops.
        person: ``img_path``, ``bbox_center`` and ``bbox_scale`` of a data set's sample.

    Returns:
        The crop; None, and a warning, if there is none.

    Raises:
        ACNNError: If its file is damaged.
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
    header = file.read(struct.calcsize(HEADER))
    shape = struct.unpack(HEADER, header) if len(header) == struct.calcsize(HEADER) else (0, 0)
    rectangle = crop_rectangle(person).clip(shape)
    if os.fstat(file.fileno()).st_size != struct.calcsize(HEADER) + 3 * math.prod(rectangle.shape):
        raise ACNNError(f'{file.name} is damaged: delete it and run tools/cache_crops.py again')
    return CachedCrop(file, rectangle, shape)


def crop_rectangle(person: dict[str, Any]) -> Rectangle:
    """Return what of a photograph is kept of a person; it may reach beyond the photograph."""
    (center,), (scale,) = person['bbox_center'], person['bbox_scale']
    half = CROP_SIZE / 2 * max(scale)  # square, as the network's input
    left, top = np.floor(center - half).astype(int).tolist()
    right, bottom = np.ceil(center + half).astype(int).tolist()
    return Rectangle(left, top, right, bottom)


def crop_file(folder: Path, person: dict[str, Any]) -> Path:
    """Name a person's file after all that decides on its content.

    That is the photograph's name, size in bytes and time of modification, the rectangle, and the
    version of the library that decodes.

    Raises:
        OSError: If there is no photograph.
    """
    photograph = Path(person['img_path'])
    status = photograph.stat()
    made_from = (photograph.name, status.st_size, status.st_mtime_ns, *crop_rectangle(person))
    text = repr((*made_from, cv2.__version__))
    return folder / (hashlib.sha256(text.encode()).hexdigest()[:32] + SUFFIX)
