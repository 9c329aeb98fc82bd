from __future__ import annotations

from acnn_mmpose.models import CoverageLoss, StageOutput, combine_stages

import numpy as np
import pytest
import torch
from mmpose.models.heads import CPMHead
from mmpose.models.utils.tta import flip_heatmaps

from tests.conftest import FLIP_INDICES


@pytest.fixture
def stages():
    """Stage outputs of a batch of 4 from 3 stages."""
    return [
        StageOutput(torch.randn(4, 16, 8, 8), (torch.rand(4, 1, 8, 8) > 0.5).float())
        for _ in range(2)
    ] + [StageOutput(torch.randn(4, 16, 8, 8), None)]


ATTENTION = dict(output_attention=True)


def test_output_attention_gives_masks_and_their_coverage(build_model, batch, stages):
    people = build_model().head.predict(stages, batch['data_samples'], ATTENTION)
    for n in range(4):
        expected = np.stack([stages[0].mask[n, 0], stages[1].mask[n, 0]])[None]
        np.testing.assert_array_equal(people[n].attention_masks, expected)
        np.testing.assert_allclose(people[n].attention_coverage, expected.mean(axis=(2, 3)))
        assert 'stage_heatmaps' not in people[n]


def test_with_heatmaps_it_also_gives_those_of_every_stage(build_model, batch, stages):
    head = build_model().head
    people, fields = head.predict(
        stages, batch['data_samples'], dict(output_heatmaps=True, **ATTENTION)
    )
    for n in range(4):
        own = torch.from_numpy(people[n].stage_heatmaps[0])
        masks = torch.from_numpy(people[n].attention_masks[0])[:, None]
        assert own.shape == (3, 16, 8, 8)
        torch.testing.assert_close(combine_stages(own, masks)[-1], fields[n].heatmaps)


def test_masks_are_left_out_unless_asked_for(build_model, batch, stages):
    assert 'attention_masks' not in build_model().head.predict(stages, batch['data_samples'])[0]


def test_bypassed_masks_are_shown_as_ones(build_model, batch, stages):
    stages = [stage._replace(mask=None) for stage in stages]
    people = build_model().head.predict(stages, batch['data_samples'], ATTENTION)
    np.testing.assert_array_equal(people[0].attention_masks, np.ones((1, 2, 8, 8)))


def test_one_stage_has_no_masks(build_model, batch):
    model = build_model('pose', num_stages=1)
    stages = model.backbone(torch.randn(4, 3, 32, 32))
    people = model.head.predict(stages, batch['data_samples'], ATTENTION)
    assert people[0].attention_masks.shape == (1, 0, 8, 8)
    assert people[0].attention_coverage.shape == (1, 0)


@torch.no_grad()
def test_flip_test_averages_mirrored_heatmaps_and_keeps_unflipped_masks(build_model, batch):
    model = build_model().eval()
    images = torch.randn(4, 3, 32, 32)
    plain, mirrored = (
        [
            stage._replace(mask=(torch.rand(4, 1, 8, 8) > 0.5).float())
            for stage in model.backbone(inputs)
        ]
        for inputs in (images, images.flip(-1))
    )
    options = dict(flip_test=True, shift_heatmap=True, output_heatmaps=True, **ATTENTION)
    people, fields = model.head.predict([plain, mirrored], batch['data_samples'], options)
    back = flip_heatmaps(model.head(mirrored)[-1], FLIP_INDICES, shift_heatmap=True)
    expected = (model.head(plain)[-1] + back) / 2
    for n in range(4):
        torch.testing.assert_close(fields[n].heatmaps, expected[n])
        np.testing.assert_array_equal(people[n].attention_masks[0, 0], plain[0].mask[n, 0])
        assert not np.array_equal(people[n].attention_masks[0, 0], mirrored[0].mask[n, 0])


def test_loss_and_accuracy_are_mmposes(build_model, batch, stages):
    head = build_model().head
    batch['data_samples'][0].gt_instance_labels.keypoint_weights[0, :5] = 0
    own = head.loss(stages, batch['data_samples'])
    mmpose = CPMHead.loss(head, stages, batch['data_samples'])
    assert own.keys() == mmpose.keys()
    assert torch.equal(own['loss_kpt'], mmpose['loss_kpt'])
    assert own['acc_pose'].item() == pytest.approx(mmpose['acc_pose'].item())


def test_predictions_are_float32_under_mixed_precision(build_model, batch):
    model = build_model().train()
    data = model.data_preprocessor(batch, training=True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        stages = model.backbone(data['inputs'])
        assert stages[0].feature.dtype == torch.bfloat16
        losses = model.head.loss(stages, data['data_samples'])
    assert losses['loss_kpt'].dtype == torch.float32
    assert torch.isfinite(losses['loss_kpt'])


def test_stage_predictions_are_those_of_the_loss(build_model, batch, stages):
    head = build_model().head
    options = dict(output_heatmaps=True, **ATTENTION)
    people, _ = head.predict(stages, batch['data_samples'], options)
    for i, prediction in enumerate(head(stages)):
        for n in range(4):
            expected = prediction[n].detach().numpy()
            np.testing.assert_array_equal(people[n].stage_predictions[0, i], expected)


def test_coverage_loss_is_added_where_masks_apply(build_model, batch, stages):
    head = build_model().head
    assert 'loss_coverage' not in head.loss(stages, batch['data_samples'])
    head.coverage_loss = CoverageLoss(weight=2.0)
    expected = 2 * sum(stage.mask.mean() for stage in stages[:-1])
    losses = head.loss(stages, batch['data_samples'])
    torch.testing.assert_close(losses['loss_coverage'], expected)
    bypassed = [stage._replace(mask=None) for stage in stages]
    assert 'loss_coverage' not in head.loss(bypassed, batch['data_samples'])
