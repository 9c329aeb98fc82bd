from __future__ import annotations

from acnn_mmpose.models.accuracy import heatmap_accuracy

import numpy as np
import pytest
import torch
from mmpose.evaluation.functional import pose_pck_accuracy


@pytest.mark.parametrize('shape', [(16, 64, 64), (5, 48, 36)])
@pytest.mark.parametrize('spread', [0, 2, 5])
def test_it_is_mmposes(shape, spread):
    """On peaks that move by up to ``spread`` pixels, some joints unlabelled, some maps empty."""
    rng = np.random.default_rng(spread)
    joints, height, width = shape
    targets, predictions = np.zeros((2, 6, *shape), dtype=np.float32)
    for person, joint in np.ndindex(6, joints):
        x, y = rng.integers(8, width - 8), rng.integers(8, height - 8)
        dx, dy = rng.integers(-spread, spread, size=2, endpoint=True)
        targets[person, joint, y, x] = 1
        predictions[person, joint, y + dy, x + dx] = 0.3
    predictions -= 1e-3 * rng.random(predictions.shape, dtype=np.float32)
    predictions[0, 1] = -1  # no positive value: MMPose puts the peak at (-1, -1), and
    targets[0, 1] = 0
    targets[0, 1, width // 32, width // 32] = 1  # this is near (0, 0) only
    visible = rng.random((6, joints)) < 0.7
    visible[0, 1] = True
    visible[:, 2] = False  # in nobody
    _, expected, _ = pose_pck_accuracy(predictions, targets, visible)
    measured = heatmap_accuracy(*map(torch.from_numpy, (predictions, targets, visible)))
    assert measured.item() == pytest.approx(expected, abs=1e-6)
    assert expected > 0.9 or spread


def test_without_a_visible_joint_it_is_zero():
    heatmaps = torch.rand(2, 3, 8, 8)
    nobody = torch.zeros(2, 3, dtype=torch.bool)
    assert heatmap_accuracy(heatmaps, heatmaps, nobody) == 0
