"""MMPose's augmentation and targets, with the same output for less computing."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import RandomBBoxTransform
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS
from scipy.special import ndtr, ndtri


@TRANSFORMS.register_module()
class FastBBoxTransform(RandomBBoxTransform):
    """MMPose's :class:`RandomBBoxTransform` without the checks that ``scipy.stats`` makes.

    The same random numbers give the same float32 values.
    """

    @staticmethod
    def _truncnorm(low: float = -1.0, high: float = 1.0, size: tuple = ()) -> np.ndarray:
        """Sample from a truncated normal distribution, by inversion as ``scipy.stats`` does."""
        below, above = ndtr(low), ndtr(high)
        return ndtri(below + np.random.uniform(size=size) * (above - below)).astype(np.float32)


@KEYPOINT_CODECS.register_module()
class FastMSRAHeatmap(MSRAHeatmap):
    """MMPose's :class:`MSRAHeatmap`, which computes its Gaussian once instead of per joint.

    For ``GenerateTarget``; the output is the same to the bit.
    """

    @cached_property
    def _gaussian(self) -> np.ndarray:
        """What is drawn around a joint, (size, size), float32; its maximum is 1."""
        size = 6 * self.sigma + 1  # three standard deviations to either side
        x = np.arange(size, dtype=np.float32) - size // 2
        return np.exp(-(x**2 + x[:, None] ** 2) / (2 * self.sigma**2))

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict:
        """Draw the heatmaps of one person.

        Args:
            keypoints: (1, K, D), pixels of the input image.
            keypoints_visible: (1, K); joints below 0.5 are not drawn.

        Returns:
            ``heatmaps`` (K, h, w), float32, and ``keypoint_weights`` (1, K).
        """
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
