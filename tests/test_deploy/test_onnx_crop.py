"""Boxes to crops and back, heatmaps to keypoints: against MMPose's transforms, codec, flip test."""

from __future__ import annotations

from acnn_mmpose.deploy.onnx_crop import (
    check_boxes,
    check_image,
    cut_crops,
    decode_heatmaps,
    find_crop_boxes,
    merge_mirrored,
    to_image,
)
from acnn_mmpose.errors import ACNNError

import numpy as np
import pytest
import torch
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from mmpose.models.utils.tta import flip_heatmaps

from tests.conftest import FLIP_INDICES

BOXES = [[10, 20, 90, 180], [-40.5, 3.25, 77.3, 61.1], [100.1, 50.7, 400.9, 260.2], [0, 0, 9, 9]]


@pytest.mark.parametrize('dtype', [np.float64, np.float32, np.int64])
@pytest.mark.parametrize('input_size', [(64, 64), (48, 64), (96, 64)])
def test_crops_equal_mmposes_to_the_last_bit(dtype, input_size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (200, 300, 3), np.uint8)
    boxes = np.array(BOXES).astype(dtype)
    crop_boxes = find_crop_boxes(check_boxes(boxes, image.shape), input_size, 1.25)
    crops = cut_crops(image, crop_boxes, input_size)
    points = rng.uniform(-10, 80, (4, 5, 2))
    mapped = to_image(points, crop_boxes, input_size)
    for i, box in enumerate(boxes):
        results = GetBBoxCenterScale().transform({'img': image, 'bbox': box[None]})
        results = TopdownAffine(input_size).transform(results)
        np.testing.assert_array_equal(crops[i], results['img'])
        center, scale = results['input_center'], results['input_scale']
        wanted = points[i] / results['input_size'] * scale + center - 0.5 * scale
        np.testing.assert_allclose(mapped[i], wanted, rtol=1e-6, atol=1e-4)


def test_images_of_other_kinds_are_converted_and_others_refused():
    grey = np.full((4, 5), 7, np.uint8)
    assert check_image(grey).tolist() == [[[7] * 3] * 5] * 4
    for image in ('photo.jpg', None, np.zeros((4, 4)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ACNNError, match='is no image'):
            check_image(image)
    with pytest.raises(ACNNError, match='the image has 40000x1 px: shrink it'):
        check_image(np.zeros((1, 40000, 3), np.uint8))


@pytest.mark.parametrize(
    ('bad', 'words'),
    [
        ([5, 0, np.nan, 5], 'is not made of finite numbers'),
        ([5, 0, 1e300, 5], 'is not made of finite numbers of a sensible size'),
        ([5, 0, 5, 5], 'has no area'),
        ([70, 0, 90, 5], 'lies outside the image of 64x48 px'),
    ],
)
def test_a_box_that_is_none_is_named(bad, words):
    with pytest.raises(ACNNError, match=rf'box 1, \[.*\], {words}'):
        check_boxes([[0, 0, 5, 5], bad], (48, 64))


@pytest.mark.parametrize('bad', [[0, 0, 5, 5], [[0, 0, 5]], [['a', 'b', 'c', 'd']], 7, [[1j] * 4]])
def test_boxes_of_another_shape_or_type(bad):
    with pytest.raises(ACNNError, match=r'boxes must be numbers of shape \(n, 4\)'):
        check_boxes(bad, (48, 64))


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
