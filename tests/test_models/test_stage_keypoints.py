"""Every stage's keypoints beside those of the prediction."""

from __future__ import annotations

from acnn_mmpose.models import StageOutput

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


@torch.no_grad()
def test_each_pass_of_the_flip_test_combines_with_its_own_masks(build_model, batch):
    """Eq. 4: only the mirrored pass sees the joint, in stage 1, where its own M(1) discards it."""
    model = build_model('joint', num_stages=3).eval()
    for layer in model.head.multi_final_layers:  # H(i) is the feature
        layer.weight.copy_(torch.eye(16)[..., None, None])
        layer.bias.zero_()
    nothing, ones = torch.zeros(1, 16, 8, 8), torch.ones(1, 1, 8, 8)
    joint, discards = nothing.clone(), ones.clone()
    joint[..., 2, 6] = 1
    discards[..., 4:] = 0
    plain = [StageOutput(nothing, ones), StageOutput(nothing, ones), StageOutput(nothing, None)]
    mirrored = [StageOutput(joint, discards), *plain[1:]]
    test_cfg = dict(flip_test=True, output_stages=True)
    (person,) = model.head.predict([plain, mirrored], batch['data_samples'][:1], test_cfg)
    # column 6 of the mirrored is 1 of the image; cells of 4 px, decoded to a quarter
    np.testing.assert_allclose(person.stage_keypoints[0, 1], np.tile([4, 8], (16, 1)), atol=1)


def test_stages_are_left_out_unless_asked_for(build_model, batch):
    assert 'stage_keypoints' not in predict(build_model(), batch, flip_test=True)[0]


def test_one_stage(build_model, batch):
    model = build_model('pose', num_stages=1)
    (person, *_) = predict(model, batch, flip_test=True, output_stages=True)
    np.testing.assert_array_equal(person.stage_keypoints[:, 0], person.keypoints)
