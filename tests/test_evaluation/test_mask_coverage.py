from __future__ import annotations

from acnn_mmpose.evaluation import MaskCoverage

import numpy as np
import pytest
from mmengine.runner import Runner


def sample(mask, joints, visible=None) -> dict:
    """A person whose crop is the 80x80 image: cells of an 8x8 mask are 10 pixels wide."""
    return dict(
        pred_instances=dict(
            attention_masks=mask[None, None],
            input_center=np.array([[40.0, 40.0]]),
            input_scale=np.array([[80.0, 80.0]]),
        ),
        gt_instances=dict(
            keypoints=np.array([joints], float),
            keypoints_visible=np.ones((1, len(joints))) if visible is None else visible[None],
        ),
    )


def evaluate(*samples) -> dict[str, float]:
    metric = MaskCoverage()
    metric.process([], list(samples))
    return metric.evaluate(len(samples))


def test_cells_joints_and_background_are_counted():
    mask = np.zeros((8, 8), np.float32)
    mask[:, :2] = 1  # two columns of eight
    # cells (row 0, column 0), (row 1, column 1) and (row 1, column 2): two are kept
    figures = evaluate(sample(mask, [[1, 2], [9, 11], [21, 9]]))
    # the box: rows 0 to 4, columns 0 to 5; background: 64 - 30 cells, of which 3 rows of 2 are kept
    assert figures == {
        'attention/mask1_kept': pytest.approx(25),
        'attention/mask1_joints': pytest.approx(200 / 3),
        'attention/mask1_background': pytest.approx(100 * 6 / 34),
    }


def test_joints_of_mpii_count_from_one():
    """The cell between 5 and 15 pixels from the left is the second one."""
    mask = np.zeros((8, 8), np.float32)
    mask[:, 0] = 1
    metric = MaskCoverage()
    metric.process([], [sample(mask, [[5.5, 0]])])
    metric.dataset_meta = dict(dataset_name='mpii')
    metric.process([], [sample(mask, [[5.5, 0]])])
    assert metric.evaluate(2)['attention/mask1_joints'] == 50


def test_only_labelled_joints_in_the_crop_count():
    mask = np.eye(8, dtype=np.float32)
    joints = [[0, 0], [30, 0], [-20, 0], [500, 40]]
    figures = evaluate(sample(mask, joints, np.array([1, 0, 1, 1])))
    assert figures['attention/mask1_joints'] == 100


def test_cells_of_all_people_are_averaged_and_a_person_without_labels_is_background():
    whole, none = np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32)
    figures = evaluate(sample(whole, [[40, 40]]), sample(none, [[40, 40]], np.zeros(1)))
    assert figures['attention/mask1_kept'] == 50
    assert figures['attention/mask1_joints'] == 100
    assert figures['attention/mask1_background'] == pytest.approx(100 * 15 / (15 + 64))


def test_without_masks_there_are_no_figures():
    person = sample(np.ones((8, 8), np.float32), [[40, 40]])
    del person['pred_instances']['attention_masks']
    assert evaluate(person) == {}


def test_a_test_run_reports_it(cfg, checkpoint):
    cfg.test_evaluator = [cfg.test_evaluator, dict(type='MaskCoverage')]
    cfg.load_from = str(checkpoint)
    metrics = Runner.from_cfg(cfg).test()
    assert 0 <= metrics['attention/mask1_background'] <= 100
    assert 0 <= metrics['attention/mask1_joints'] <= 100
