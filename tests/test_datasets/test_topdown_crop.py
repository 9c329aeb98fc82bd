"""A crop is MMPose's to the bit, whatever part of the photograph was loaded for it."""

from __future__ import annotations

from acnn_mmpose.datasets import TopdownCrop
from acnn_mmpose.datasets.cached_crop import Rectangle, flip_rectangle, sampled_rectangle
from acnn_mmpose.datasets.fast import undo_flip

import cv2
import numpy as np
import pytest
from mmcv.image import imflip
from mmpose.datasets.transforms import TopdownAffine
from mmpose.structures.bbox import get_warp_matrix

from .conftest import assert_same, dataset_config, samples

FLIPS = {None: None, 'horizontal': 1, 'vertical': 0, 'diagonal': -1}


def test_the_training_pipeline_gives_what_mmposes_transforms_give(photographs):
    ours, stock = dataset_config(photographs), dataset_config(photographs, stock=True)
    changed = [t.type for t, s in zip(ours.pipeline, stock.pipeline) if t.type != s.type]
    assert changed == ['LoadReadableImage', 'FastBBoxTransform', 'TopdownCrop']
    assert_same(samples(ours), samples(stock))


@pytest.mark.parametrize('direction', FLIPS)
@pytest.mark.parametrize('use_udp', [False, True])
def test_every_flip_and_box(direction, use_udp):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (90, 121, 3), np.uint8)
    view = image if direction is None else imflip(image, direction)
    for _ in range(5):
        results = dict(
            img=view,
            bbox_center=rng.uniform(0, 100, (1, 2)),
            bbox_scale=rng.uniform(20, 120, (1, 2)),
            bbox_rotation=rng.uniform(-180, 180, 1),
            keypoints=rng.uniform(0, 100, (1, 16, 2)),
        )
        ours, stock = (
            cls(input_size=(64, 48), use_udp=use_udp)(dict(results))
            for cls in (TopdownCrop, TopdownAffine)
        )
        for key in stock:
            assert np.array_equal(ours[key], stock[key])


@pytest.mark.parametrize(('direction', 'code'), FLIPS.items())
def test_flips_are_undone(direction, code):
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    view = image if direction is None else imflip(image, direction)
    undone, found = undo_flip(view)
    assert found == code
    assert (undone == image).all()


@pytest.mark.parametrize('code', FLIPS.values())
def test_warping_reads_nothing_outside_the_rectangle(code):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (200, 301, 3), np.uint8)
    for _ in range(20):
        box = rng.uniform(-20, 300, 2), np.full(2, rng.uniform(10, 250))
        matrix = get_warp_matrix(*box, rng.uniform(-180, 180), output_size=(32, 32))
        rectangle = flip_rectangle(sampled_rectangle(matrix, (32, 32)), (200, 301), code)
        rectangle = rectangle.clip((200, 301))
        part = 255 - image
        part[rectangle.slices] = image[rectangle.slices]
        crops = [
            cv2.warpAffine(i if code is None else cv2.flip(i, code), matrix, (32, 32))
            for i in (image, part)
        ]
        assert (crops[0] == crops[1]).all()


def test_rectangles():
    rectangle = Rectangle(-5, 2, 40, 30)
    assert rectangle.clip((20, 30)) == Rectangle(0, 2, 30, 20)
    assert Rectangle(50, 60, 70, 80).clip((20, 30)).shape == (0, 0)
    assert rectangle.contains(Rectangle(-5, 2, 40, 30))
    for side in range(4):
        larger = np.array(rectangle)
        larger[side] += 1 if side > 1 else -1
        assert not rectangle.contains(Rectangle(*larger))
