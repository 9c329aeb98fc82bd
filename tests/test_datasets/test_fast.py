"""The quick transforms give what MMPose's give."""

from __future__ import annotations

from acnn_mmpose.datasets import FastBBoxTransform, FastMSRAHeatmap

import numpy as np
import pytest
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import RandomBBoxTransform


def test_the_same_random_numbers_give_the_same_boxes():
    boxes = []
    for cls in (RandomBBoxTransform, FastBBoxTransform):
        np.random.seed(0)
        transform = cls(shift_factor=0.2, scale_factor=(0.7, 1.4), rotate_factor=40)
        size = dict(bbox_center=np.ones((2, 2)), bbox_scale=np.ones((2, 2)))
        boxes.append([transform(dict(size)) for _ in range(300)])
    for stock, ours in zip(*boxes):
        for key in stock:
            assert np.array_equal(ours[key], stock[key])
    np.random.seed(0)
    stock = RandomBBoxTransform._truncnorm(size=(50_000,))
    np.random.seed(0)
    ours = FastBBoxTransform._truncnorm(size=(50_000,))
    assert ours.dtype == stock.dtype
    assert (ours == stock).all()


@pytest.mark.parametrize('sigma', [1, 1.5, 2.7, 3])
@pytest.mark.parametrize('unbiased', [False, True])
def test_the_same_heatmaps(sigma, unbiased):
    options = dict(input_size=(96, 64), heatmap_size=(24, 16), sigma=sigma, unbiased=unbiased)
    stock, ours = MSRAHeatmap(**options), FastMSRAHeatmap(**options)
    rng = np.random.default_rng(0)
    drawn = 0
    for _ in range(20):
        keypoints = rng.uniform(-40, 130, (1, 16, 2)).astype(np.float32)
        visible = rng.choice([0, 0.4, 0.5, 1], (1, 16)).astype(np.float32)
        for seen in (visible, None):
            expected, encoded = stock.encode(keypoints, seen), ours.encode(keypoints, seen)
            assert encoded.keys() == expected.keys()
            for key in expected:
                assert encoded[key].dtype == expected[key].dtype
                assert (encoded[key] == expected[key]).all()
            drawn += (encoded['heatmaps'] > 0.5).sum()
    assert drawn
