"""Loading images and boxes so that bad ones are named instead of used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from ..errors import ACNNError
from .image_check import check_image

MAX_SIDE = 32_766  # px; more than that cv2.warpAffine, which cuts out people, does not take
MAX_COORDINATE = 1e6  # px; far beyond every image, and small enough for float32 arithmetic


class UnreadableImageError(ACNNError):
    """An image file that is missing, is damaged, or is none."""


@TRANSFORMS.register_module()
class LoadReadableImage(LoadImage):
    """MMPose's :class:`LoadImage`, with one sentence where an image can not be used.

    Every image becomes BGR uint8: grey ones get three equal channels, 16 bits become 8, alpha is
    left out. The orientation that a file's EXIF data asks for is applied, as by MMPose.

    Keys are those of :class:`LoadImage`.

    Raises:
        UnreadableImageError: Naming the file.
        ACNNError: If an array is given that is no image.
    """

    def transform(self, results: dict) -> dict:
        """Load ``img_path``, or take the array ``img``."""
        if 'img' in results:
            results['img'] = to_bgr(results['img'])
        try:
            results = super().transform(results)
        except (OSError, ValueError, AssertionError, cv2.error) as error:
            path = Path(results['img_path'])
            problem = check_image(path)
            if not isinstance(problem, str):  # Pillow can read what OpenCV can't
                problem = 'can not be decoded by OpenCV: convert it to jpg or png'
            raise UnreadableImageError(f'image {path} {problem}') from error
        height, width = results['img_shape']
        if max(height, width) > MAX_SIDE:
            raise UnreadableImageError(
                f'image {results["img_path"] or "given as an array"} has {width}x{height} px: '
                f'shrink it, {MAX_SIDE} px per side are the most that can be used'
            )
        return results


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as the pipelines do.

    Returns:
        (H, W, 3), BGR, uint8.

    Raises:
        UnreadableImageError: Naming the file.
    """
    return LoadReadableImage()(dict(img_path=str(path)))['img']


def to_bgr(image: np.ndarray) -> np.ndarray:
    """Convert an image to BGR.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) in BGR or (H, W, 4) in BGRA, uint8 or uint16.

    Returns:
        (H, W, 3), uint8; the image itself if it is such a one.

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


@TRANSFORMS.register_module()
class CheckBox(BaseTransform):
    """Refuse a person's box in which nobody can be found; for evaluation and prediction.

    Required keys: ``bbox`` (1, 4), x1, y1, x2, y2 in pixels, and ``img_shape`` (H, W).

    Raises:
        ACNNError: If the box has no area, lies outside the image or is not made of numbers.
    """

    def transform(self, results: dict) -> dict:
        """Check the box."""
        (box,) = results['bbox']
        problem = describe_box_problem(box, results['img_shape'])
        if problem:
            where = f' of {results["img_path"]}' if results.get('img_path') else ''
            raise ACNNError(f'box {_text(box)}{where} {problem}')
        return results


def describe_box_problem(box: Sequence[float], shape: tuple[int, int] | None = None) -> str:
    """Say what is wrong with a box.

    Args:
        box: x1, y1, x2, y2, in pixels.
        shape: Height and width of the image, if known.

    Returns:
        One clause that ends with what to give instead; empty if the box can be used.
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


def _text(box: Sequence[float]) -> str:
    return f'[{", ".join(f"{value:g}" for value in box)}]'
