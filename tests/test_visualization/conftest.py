"""A person whose mask is painted from a known square."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.structures import InstanceData

CELLS = slice(5, 12), slice(8, 20)  # rows and columns that the mask discards
SIZE = 32


@pytest.fixture
def make_person():
    """Make a person without response: make_person(center, scale)."""

    def make(center, scale) -> InstanceData:
        masks = np.ones((1, 2, SIZE, SIZE), np.float32)
        masks[0, 0][CELLS] = 0
        return InstanceData(
            keypoints=np.full((1, 16, 2), np.float32(center)),
            keypoint_scores=np.ones((1, 16), np.float32),
            keypoints_visible=np.ones((1, 16), np.float32),
            bboxes=np.array([[0, 0, 10, 10]], np.float32),
            bbox_scores=np.ones(1, np.float32),
            attention_masks=masks,
            attention_coverage=masks.mean(axis=(2, 3)),
            stage_keypoints=np.full((1, 3, 16, 2), np.float32(center)),
            stage_heatmaps=np.random.rand(1, 3, 16, SIZE, SIZE).astype(np.float32),
            stage_predictions=np.random.rand(1, 3, 16, SIZE, SIZE).astype(np.float32),
            input_center=np.array([center], np.float32),
            input_scale=np.array([scale], np.float32),
        )

    return make


@pytest.fixture
def square_corners():
    """Corners (4, 2) of the square in the image, worked out as MMPose maps keypoints."""

    def corners(center, scale) -> np.ndarray:
        rows, columns = CELLS
        left, right = columns.start - 0.5, columns.stop - 0.5  # a cell reaches half a step around
        top, bottom = rows.start - 0.5, rows.stop - 0.5
        square = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        offset = (square / SIZE - 0.5) * scale  # from the crop's center, in pixels of the image
        return offset + center

    return corners
