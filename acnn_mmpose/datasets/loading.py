"""Loading images and boxes so that bad ones are named instead of used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from ..errors import ACNNError
from ..image_check import check_image_file, read_header
from ..input_checks import describe_box_problem, describe_size_problem, spell_box, to_bgr
from .cached_crop import find_crop


class UnreadableImageError(ACNNError):
    """An image file that is missing, is damaged, or is none."""


@TRANSFORMS.register_module()
class LoadReadableImage(LoadImage):
    """MMPose's :class:`LoadImage`, with an UnreadableImageError where an image can not be used.

    Every image becomes BGR uint8 (:func:`to_bgr`), turned as its EXIF data ask for. Pipes and
    devices are not read, and images of more than 179 million pixels, half a gigabyte, are not
    decoded; the environment variable ``ACNN_MAX_PIXELS`` sets another limit.

    With ``crop_cache``, the folder that ``tools/cache_crops.py`` made, a training pipeline reads
    crops instead of photographs; what :class:`TopdownCrop` makes of them is the same to the bit.
    That needs ``bbox_center`` and ``bbox_scale`` (1, 2) as the data set gives them, hence before
    :class:`GetBBoxCenterScale`.
    """

    def __init__(self, crop_cache: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crop_cache = None if crop_cache is None else Path(crop_cache)
        if self.crop_cache is not None and not self.crop_cache.is_dir():
            raise ACNNError(
                f'the crop cache {crop_cache} does not exist: make it with tools/cache_crops.py'
            )

    def transform(self, results: dict) -> dict:
        """Find the person's crop; else load ``img_path``, or take the array ``img``."""
        if 'img' in results:
            results['img'] = to_bgr(results['img'])
        elif self.crop_cache is not None and (crop := find_crop(self.crop_cache, results)):
            results['img'] = np.empty((*crop.shape, 3), np.uint8)  # never read
            results['img_shape'] = results['ori_shape'] = crop.shape
            results['cached_crop'] = crop
            return results
        elif '://' not in (name := str(results['img_path'])):  # a file, which might never end
            problem = read_header(Path(name))
            if isinstance(problem, str):
                raise UnreadableImageError(f'image {name} {problem}')
        try:
            results = super().transform(results)
        except (OSError, ValueError, AssertionError, cv2.error) as error:
            path = Path(results['img_path'])
            problem = check_image_file(path)
            if not isinstance(problem, str):  # Pillow can read what OpenCV can't
                problem = 'can not be decoded by OpenCV: convert it to jpg or png'
            raise UnreadableImageError(f'image {path} {problem}') from error
        problem = describe_size_problem(results['img_shape'])
        if problem:
            name = results['img_path'] or 'given as an array'
            raise UnreadableImageError(f'image {name} {problem}')
        return results


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as the pipelines do: (H, W, 3), BGR, uint8."""
    return LoadReadableImage()(dict(img_path=str(path)))['img']


@TRANSFORMS.register_module()
class CheckBox(BaseTransform):
    """Refuse a person's ``bbox`` (1, 4), x1, y1, x2, y2 in pixels, in which nobody can be found."""

    def transform(self, results: dict) -> dict:
        """Check the box."""
        (box,) = results['bbox']
        problem = describe_box_problem(box, results['img_shape'])
        if problem:
            where = f' of {results["img_path"]}' if results.get('img_path') else ''
            raise ACNNError(f'box {spell_box(box)}{where} {problem}')
        return results
