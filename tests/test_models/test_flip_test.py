"""The flip test of one image, in one pass, against MMPose's two."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator

from tests.conftest import halve_masks, randomise_norms


@pytest.mark.parametrize('phase', ['pose', 'joint'])
@torch.no_grad()
def test_one_pass_predicts_what_two_do(build_model, batch, phase, monkeypatch):
    model = randomise_norms(build_model(phase)).eval()
    data = model.data_preprocessor(copy.deepcopy(batch))
    if phase == 'joint':
        halve_masks(model, data['inputs'])
    model.test_cfg = dict(
        flip_test=True,
        shift_heatmap=True,
        output_stages=True,
        output_attention=True,
        output_heatmaps=True,
    )
    batch = {name: values[:1] for name, values in batch.items()}
    one = model.test_step(copy.deepcopy(batch))
    monkeypatch.setattr(type(model), 'predict', TopdownPoseEstimator.predict)
    two = model.test_step(copy.deepcopy(batch))
    for ours, theirs in zip(one, two):
        torch.testing.assert_close(ours.pred_fields.heatmaps, theirs.pred_fields.heatmaps)
        assert set(ours.pred_instances.keys()) == set(theirs.pred_instances.keys())
        for name, value in theirs.pred_instances.items():
            np.testing.assert_allclose(ours.pred_instances[name], value, atol=1e-4, err_msg=name)


@pytest.mark.parametrize(('people', 'batches'), [(1, [2]), (4, [4, 4])])
@torch.no_grad()
def test_only_a_single_image_runs_with_its_mirror_image(build_model, batch, people, batches):
    model = build_model().eval()
    model.test_cfg = dict(flip_test=True)
    seen = []
    model.backbone.register_forward_hook(lambda net, args, out: seen.append(len(args[0])))
    model.test_step({name: values[:people] for name, values in batch.items()})
    assert seen == batches
