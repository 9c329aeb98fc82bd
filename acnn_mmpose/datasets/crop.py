"""Cutting a person out of a photograph, as MMPose does it but without its slow parts."""

from __future__ import annotations

import cv2
import numpy as np
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import TRANSFORMS
from mmpose.structures.bbox import get_udp_warp_matrix, get_warp_matrix
from torch.utils.data import get_worker_info

from ..allocator import keep_freed_memory
from .loading import read_image
from .rectangle import flip_rectangle, sampled_rectangle


@TRANSFORMS.register_module()
class TopdownCrop(TopdownAffine):
    """MMPose's :class:`TopdownAffine`, fast on flipped images and able to take a crop from disk.

    :class:`RandomFlip` gives a view whose columns run backwards, on which ``cv2.warpAffine`` takes
    many times as long as on a copy made by ``cv2.flip``. The output is the same to the bit.

    Where :class:`LoadReadableImage` found a crop of the person (``cached_crop``), the photograph is
    decoded only if the crop does not reach as far as the scale and the rotation that were drawn.

    Keys and arguments are those of :class:`TopdownAffine`.
    """

    def transform(self, results: dict) -> dict:
        """Cut out the person and transform the joints."""
        if get_worker_info() is not None:  # one of several, so within bounds
            keep_freed_memory(total=256 << 20, largest=32 << 20)
        image, flip = undo_flip(results['img'])
        crop = results.pop('cached_crop', None)
        if crop is not None:
            rectangle = sampled_rectangle(self._matrix(results), self.input_size)
            image = crop.load(flip_rectangle(rectangle, crop.shape, flip).clip(crop.shape))
            if image is None:
                image = read_image(results['img_path'])
        results['img'] = image if flip is None else cv2.flip(image, flip)
        return super().transform(results)

    def _matrix(self, results: dict) -> np.ndarray:
        """Return what takes the photograph's pixels to the crop's, (2, 3), as MMPose does."""
        width, height = self.input_size
        (scale,) = self._fix_aspect_ratio(results['bbox_scale'], width / height)
        (center,) = results['bbox_center']
        rotation = results['bbox_rotation'][0] if 'bbox_rotation' in results else 0.0
        get_matrix = get_udp_warp_matrix if self.use_udp else get_warp_matrix
        return get_matrix(center, scale, rotation, output_size=self.input_size)


def undo_flip(view: np.ndarray) -> tuple[np.ndarray, int | None]:
    """Return the image that a flipped view shows, and cv2's code of the flip; None for no flip."""
    flip_y, flip_x = (stride < 0 for stride in view.strides[:2])
    if not (flip_x or flip_y):
        return view, None
    image = view[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
    return image, -1 if flip_x and flip_y else int(flip_x)
