"""MMPose's augmentation, crops and targets: the same output to the bit for less computing."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import RandomBBoxTransform, TopdownAffine
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS
from mmpose.structures.bbox import get_udp_warp_matrix, get_warp_matrix
from scipy.special import ndtr, ndtri
from torch.utils.data import get_worker_info

from ..allocator import keep_freed_memory
from .cached_crop import flip_rectangle, sampled_rectangle
from .loading import read_image


@TRANSFORMS.register_module()
class FastBBoxTransform(RandomBBoxTransform):
    """MMPose's :class:`RandomBBoxTransform` without the checks that ``scipy.stats`` makes."""

    @staticmethod
    def _truncnorm(low: float = -1.0, high: float = 1.0, size: tuple = ()) -> np.ndarray:
        """Sample from a truncated normal distribution, by inversion as ``scipy.stats`` does."""
        below, above = ndtr(low), ndtr(high)
        return ndtri(below + np.random.uniform(size=size) * (above - below)).astype(np.float32)


@TRANSFORMS.register_module()
class TopdownCrop(TopdownAffine):
    """MMPose's :class:`TopdownAffine`, fast on flipped images and able to take a crop from disk.

    :class:`RandomFlip` gives a view whose columns run backwards, on which ``cv2.warpAffine`` takes
    many times as long as on a copy made by ``cv2.flip``.

    Where :class:`LoadReadableImage` found a crop of the person (``cached_crop``), the photograph is
    decoded only if the crop does not reach as far as the scale and the rotation that were drawn.
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


@KEYPOINT_CODECS.register_module()
class FastMSRAHeatmap(MSRAHeatmap):
    """MMPose's :class:`MSRAHeatmap` that computes its Gaussian once, for ``GenerateTarget``."""

    @cached_property
    def _gaussian(self) -> np.ndarray:
        """What is drawn around a joint, (size, size), float32; its maximum is 1."""
        size = 6 * self.sigma + 1  # three standard deviations to either side
        x = np.arange(size, dtype=np.float32) - size // 2
        return np.exp(-(x**2 + x[:, None] ** 2) / (2 * self.sigma**2))

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict:
        """Draw ``heatmaps`` (K, h, w) of a person (1, K, D) in pixels, and ``keypoint_weights``."""
        if self.unbiased or keypoints_visible is None:
            return super().encode(keypoints, keypoints_visible)
        width, height = self.heatmap_size
        (centers,) = (keypoints[..., :2] / self.scale_factor + 0.5).astype(np.int64)
        starts = (centers - 3 * self.sigma).astype(np.int64).tolist()
        ends = (centers + 3 * self.sigma + 1).astype(np.int64).tolist()
        heatmaps = np.zeros((len(centers), height, width), dtype=np.float32)
        weights = keypoints_visible.copy()
        for k in np.flatnonzero(keypoints_visible[0] >= 0.5).tolist():
            (left, top), (right, bottom) = starts[k], ends[k]
            if left >= width or top >= height or right < 0 or bottom < 0:
                weights[0, k] = 0
                continue
            x1, x2, y1, y2 = max(0, left), min(width, right), max(0, top), min(height, bottom)
            heatmaps[k, y1:y2, x1:x2] = self._gaussian[y1 - top : y2 - top, x1 - left : x2 - left]
        return dict(heatmaps=heatmaps, keypoint_weights=weights)
