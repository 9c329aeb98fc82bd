"""What is drawn of a huge image: everything at its place in a smaller one."""

from __future__ import annotations

from acnn_mmpose.inference.shrink import shrink_to_draw

import numpy as np
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample


def person(scale: float = 1.0) -> PoseDataSample:
    sample = PoseDataSample(
        metainfo=dict(
            ori_shape=(200, 100),
            img_shape=(200, 100),
            input_center=np.array([50.0, 90.0]),
            input_scale=np.array([100.0, 200.0]),
        )
    )
    sample.pred_instances = InstanceData(
        bboxes=np.array([[10.0, 20.0, 30.0, 40.0]]) * scale,
        keypoints=np.arange(32.0).reshape(1, 16, 2) * scale,
        keypoint_scores=np.ones((1, 16)),
    )
    return sample


def test_small_images_stay_as_they_are():
    image = np.arange(60_000, dtype=np.uint8).reshape(200, 100, 3)
    picture, merged = shrink_to_draw(image, [person(), person()], 20_000)
    np.testing.assert_array_equal(picture, image[..., ::-1])
    wanted = person().pred_instances.keypoints.repeat(2, axis=0)
    np.testing.assert_array_equal(merged.pred_instances.keypoints, wanted)


def test_people_move_with_the_image():
    sample = person()
    image, small = shrink_to_draw(np.zeros((200, 100, 3), np.uint8), [sample], 5_000)
    assert image.shape == (100, 50, 3)
    assert small.ori_shape == (100, 50)
    assert small.input_center.tolist() == [25, 45]
    assert small.input_scale.tolist() == [50, 100]
    half = person(0.5).pred_instances
    for name, value in half.items():
        np.testing.assert_array_equal(small.pred_instances[name], value)
    assert sample.pred_instances.bboxes[0, 0] == 10  # what goes into the json


def test_heatmaps_of_all_people_together_have_as_many_pixels_as_one_picture():
    samples = [person() for _ in range(4)]
    for sample in samples:
        sample.pred_fields = PixelData(heatmaps=np.zeros((16, 8, 4), np.float32))
    image, _ = shrink_to_draw(np.zeros((200, 100, 3), np.uint8), samples, 20_000)
    assert image.shape == (100, 50, 3)
