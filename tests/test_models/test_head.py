from __future__ import annotations

from acnn_mmpose.models import StageOutput

import pytest
import torch
from mmpose.models.utils.tta import flip_heatmaps

from tests.conftest import FLIP_INDICES


@pytest.fixture
def stages():
    """Stage outputs of a batch of 4 from 3 stages."""
    return [
        StageOutput(torch.randn(4, 16, 8, 8), (torch.rand(4, 1, 8, 8) > 0.5).float())
        for _ in range(2)
    ] + [StageOutput(torch.randn(4, 16, 8, 8), None)]


def test_output_heatmaps_gives_masks_too(build_model, batch, stages):
    head = build_model().head
    _, fields = head.predict(stages, batch['data_samples'], dict(output_heatmaps=True))
    for n in range(4):
        assert fields[n].heatmaps.shape == (16, 8, 8)
        expected = torch.stack([stages[0].mask[n, 0], stages[1].mask[n, 0]])
        assert torch.equal(fields[n].attention_masks, expected)


def test_bypassed_masks_are_shown_as_ones(build_model, batch, stages):
    stages = [stage._replace(mask=None) for stage in stages]
    _, fields = build_model().head.predict(
        stages, batch['data_samples'], dict(output_heatmaps=True)
    )
    assert torch.equal(fields[0].attention_masks, torch.ones(2, 8, 8))


def test_one_stage_has_no_masks(build_model, batch):
    model = build_model('pose', num_stages=1)
    stages = model.backbone(torch.randn(4, 3, 32, 32))
    _, fields = model.head.predict(stages, batch['data_samples'], dict(output_heatmaps=True))
    assert fields[0].attention_masks.shape == (0, 8, 8)


@torch.no_grad()
def test_flip_test_averages_mirrored_heatmaps_and_keeps_unflipped_masks(build_model, batch):
    model = build_model().eval()
    images = torch.randn(4, 3, 32, 32)
    plain, mirrored = model.backbone(images), model.backbone(images.flip(-1))
    options = dict(flip_test=True, shift_heatmap=True, output_heatmaps=True)
    _, fields = model.head.predict([plain, mirrored], batch['data_samples'], options)
    back = flip_heatmaps(model.head(mirrored)[-1], FLIP_INDICES, shift_heatmap=True)
    expected = (model.head(plain)[-1] + back) / 2
    for n in range(4):
        torch.testing.assert_close(fields[n].heatmaps, expected[n])
        assert torch.equal(fields[n].attention_masks[0], plain[0].mask[n, 0])


def test_predictions_are_float32_under_mixed_precision(build_model, batch):
    model = build_model().train()
    data = model.data_preprocessor(batch, training=True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        stages = model.backbone(data['inputs'])
        assert stages[0].feature.dtype == torch.bfloat16
        losses = model.head.loss(stages, data['data_samples'])
    assert losses['loss_kpt'].dtype == torch.float32
    assert torch.isfinite(losses['loss_kpt'])
