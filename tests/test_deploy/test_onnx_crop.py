"""Boxes to crops and back, against MMPose's transforms."""

from __future__ import annotations

from acnn_mmpose.deploy.onnx_crop import (
    check_boxes,
    check_image,
    cut_crops,
    find_crop_boxes,
    to_image,
)
from acnn_mmpose.errors import ACNNError

import numpy as np
import pytest
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

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
