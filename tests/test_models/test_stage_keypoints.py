"""Every stage's keypoints beside those of the prediction."""

from __future__ import annotations

import numpy as np
import pytest
import torch


def predict(model, batch, **test_cfg):
    """Return the instances that ``model`` predicts for ``batch`` under ``test_cfg``."""
    model.eval()
    model.test_cfg = dict(flip_mode='heatmap', shift_heatmap=True, **test_cfg)
    with torch.no_grad():
        return [sample.pred_instances for sample in model.test_step(batch)]


@pytest.mark.parametrize(('flip_test', 'output_heatmaps'), [(False, False), (True, True)])
def test_stages_are_decoded_and_mapped_as_the_prediction_is(
    build_model, batch, flip_test, output_heatmaps
):
    model = build_model('joint', num_stages=3)
    flags = dict(flip_test=flip_test, output_heatmaps=output_heatmaps)
    people = predict(model, batch, output_stages=True, **flags)
    for person in people:
        assert person.stage_keypoints.shape == (1, 3, 16, 2)
        np.testing.assert_array_equal(person.stage_keypoints[:, -1], person.keypoints)
        assert not np.array_equal(person.stage_keypoints[:, 0], person.keypoints)
    # a head that ends after the second stage predicts the same
    forward = model.head.forward
    model.head.forward = lambda feats: forward(feats)[:2]
    for person, cut in zip(people, predict(model, batch, **flags)):
        np.testing.assert_array_equal(person.stage_keypoints[:, 1], cut.keypoints)


def test_stages_are_left_out_unless_asked_for(build_model, batch):
    assert 'stage_keypoints' not in predict(build_model(), batch, flip_test=True)[0]


def test_one_stage(build_model, batch):
    model = build_model('pose', num_stages=1)
    (person, *_) = predict(model, batch, flip_test=True, output_stages=True)
    np.testing.assert_array_equal(person.stage_keypoints[:, 0], person.keypoints)
