"""Heatmaps to keypoints, against MMPose's codec and flip test."""

from __future__ import annotations

from acnn_mmpose.deploy.onnx_decode import decode_heatmaps, merge_mirrored

import numpy as np
import pytest
import torch
from mmpose.codecs import MSRAHeatmap
from mmpose.models.utils.tta import flip_heatmaps

from tests.conftest import FLIP_INDICES


def all_peaks(height: int, width: int) -> np.ndarray:
    """One heatmap with a peak at each cell, over noise: (h * w, 1, h, w)."""
    rng = np.random.default_rng(0)
    heatmaps = rng.uniform(0, 1, (height * width, 1, height, width))
    heatmaps.reshape(height * width, -1)[np.diag_indices(height * width)] = 2
    return heatmaps.astype(np.float32)


@pytest.mark.parametrize('size', [(8, 8), (6, 9)])
def test_every_peak_is_decoded_as_mmpose_does(size):
    width, height = size
    heatmaps = all_peaks(height, width)
    heatmaps[3] = 0  # no response
    heatmaps[4] = -heatmaps[4]
    heatmaps[40] = 1  # all equal: no slope, the first cell wins
    codec = MSRAHeatmap(input_size=(4 * width, 4 * height), heatmap_size=size, sigma=1)
    points, scores = decode_heatmaps(heatmaps, codec.input_size)
    for i, heatmap in enumerate(heatmaps):
        wanted_points, wanted_scores = codec.decode(heatmap)
        np.testing.assert_array_equal(points[i], wanted_points[0])
        np.testing.assert_array_equal(scores[i], wanted_scores[0])
    assert points[3].tolist() == points[4].tolist() == [[-4, -4]]


@pytest.mark.parametrize('shift', [True, False])
def test_mirrored_heatmaps_are_merged_as_mmpose_does(shift):
    heatmaps, mirrored = np.random.default_rng(0).random((2, 3, 16, 8, 6), np.float32)
    back = flip_heatmaps(torch.tensor(mirrored), FLIP_INDICES, 'heatmap', shift).numpy()
    merged = merge_mirrored(heatmaps, mirrored, FLIP_INDICES, shift)
    np.testing.assert_array_equal(merged, (heatmaps + back) * np.float32(0.5))
