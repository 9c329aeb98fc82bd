"""Decoding photographs at a fraction of their size where a crop shows less than that."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from mmpose.registry import TRANSFORMS
from PIL import Image

from ..image_check import read_header
from .crop import Rectangle
from .loading import LoadReadableImage, UnreadableImageError

FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
LOADERS = {step: LoadReadableImage(color_type=flag) for step, flag in FLAGS.items()}
EXIF_ORIENTATION = 0x0112


@TRANSFORMS.register_module()
class LoadReducedImage(LoadReadableImage):
    """:class:`LoadReadableImage`, for JPEG at 1/2, 1/4 or 1/8 of the size where that is enough.

    What is needed is known once the augmentation is drawn, so this only reads the file's header,
    and :class:`TopdownCrop` loads the image: at the smallest size of which the crop still takes
    at least one pixel per pixel, hence never enlarging what full size would have shown. Labels
    stay in pixels of the full image. The output differs from that of full size: a reduced pixel is
    the mean of the pixels that it replaces, whereas MMPose's linear interpolation skips pixels when
    it shrinks (aliasing).

    Files that are no JPEG or have an EXIF orientation, and arrays, are loaded at full size.

    Keys are those of :class:`LoadImage`; added key: ``lazy_image``.
    """

    def transform(self, results: dict) -> dict:
        """Read the image's size, if it is a JPEG file; else the image."""
        shape = None if 'img' in results else _plain_jpeg_shape(results['img_path'])
        if shape is None:
            return super().transform(results)
        results['img'] = np.empty((*shape, 3), np.uint8)  # never read
        results['img_shape'] = results['ori_shape'] = shape
        results['lazy_image'] = JpegFile(results['img_path'], shape)
        return results


class JpegFile(NamedTuple):
    """A :class:`LazyImage`.

    Attributes:
        path: The file.
        shape: Height and width, in pixels.
    """

    path: str
    shape: tuple[int, int]

    def load(self, rectangle: Rectangle, shrink: float) -> tuple[np.ndarray, int]:
        """Decode all of the image, at the smallest size that is not less than the crop's.

        Raises:
            UnreadableImageError: If it can not, or has another size than the header said.
        """
        step = max(step for step in LOADERS if step <= max(shrink, 1))
        image = LOADERS[step](dict(img_path=self.path))['img']
        if image.shape[:2] != tuple(-(-side // step) for side in self.shape):
            height, width = self.shape
            raise UnreadableImageError(
                f'image {self.path} has not the {width}x{height} px that its header says: save it '
                'anew'
            )
        return image, step


def _plain_jpeg_shape(path: str) -> tuple[int, int] | None:
    """Return height and width of a JPEG file without orientation; None for all other files."""
    if isinstance(read_header(Path(path)), str):
        return None  # whether and why it can't be read, loading tells
    try:
        with Image.open(path) as image:
            if image.format == 'JPEG' and image.getexif().get(EXIF_ORIENTATION, 1) == 1:
                return image.size[::-1]
    except (OSError, SyntaxError, ValueError):
        pass
    return None
