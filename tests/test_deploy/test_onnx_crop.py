"""Boxes to crops and back, against MMPose's transforms."""

from __future__ import annotations

from acnn_mmpose.deploy.onnx_crop import (
    check_boxes,
    check_image,
    cut_crops,
    find_regions,
    to_image,
)
from acnn_mmpose.errors import ACNNError

import numpy as np
import pytest
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

BOXES = [[10, 20, 90, 180], [-40.5, 3.25, 77.3, 61.1], [100.1, 50.7, 400.9, 260.2], [0, 0, 1, 1]]


@pytest.mark.parametrize('dtype', [np.float64, np.float32, np.int64])
@pytest.mark.parametrize('input_size', [(64, 64), (48, 64), (96, 64)])
def test_crops_equal_mmposes_to_the_last_bit(dtype, input_size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (200, 300, 3), np.uint8)
    boxes = np.array(BOXES).astype(dtype)
    regions = find_regions(check_boxes(boxes), input_size, 1.25)
    crops = cut_crops(image, regions, input_size)
    points = rng.uniform(-10, 80, (4, 5, 2))
    mapped = to_image(points, regions, input_size)
    for i, box in enumerate(boxes):
        results = GetBBoxCenterScale().transform({'img': image, 'bbox': box[None]})
        results = TopdownAffine(input_size).transform(results)
        np.testing.assert_array_equal(crops[i], results['img'])
        center, scale = results['input_center'], results['input_scale']
        wanted = points[i] / results['input_size'] * scale + center - 0.5 * scale
        np.testing.assert_allclose(mapped[i], wanted, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize(
    ('image', 'words'),
    [
        ('photo.jpg', 'but got: str'),
        (None, 'but got: NoneType'),
        (np.zeros((4, 4)), 'float64 array of shape (4, 4)'),
        (np.zeros((4, 4, 3), np.float32), 'float32 array'),
        (np.zeros((4, 4, 4), np.uint8), '(4, 4, 4)'),
        (np.zeros((0, 4, 3), np.uint8), '(0, 4, 3)'),
        (np.zeros((1, 40000, 3), np.uint8), '(1, 40000, 3)'),
    ],
)
def test_what_is_no_image(image, words):
    with pytest.raises(ACNNError, match='an image must') as error:
        check_image(image)
    assert words in str(error.value)


@pytest.mark.parametrize('bad', [np.nan, np.inf, 1e300, 5.0, 4.0])
def test_a_box_that_is_none_is_named(bad):
    with pytest.raises(ACNNError, match=r'box 1 is .*finite, with x1 < x2'):
        check_boxes([[0, 0, 5, 5], [5, 0, bad, 5]])


@pytest.mark.parametrize('bad', [[0, 0, 5, 5], [[0, 0, 5]], [['a', 'b', 'c', 'd']], 7, [[1j] * 4]])
def test_boxes_of_another_shape_or_type(bad):
    with pytest.raises(ACNNError, match=r'boxes must be numbers of shape \(n, 4\)'):
        check_boxes(bad)
