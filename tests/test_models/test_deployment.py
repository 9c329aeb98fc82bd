"""switch_to_deploy: the same predictions, faster, and nothing but predictions."""

from __future__ import annotations

import copy
import shutil

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models.deployment import compile_frozen
from acnn_mmpose.models.hourglass import Residual

import numpy as np
import pytest
import torch
from mmengine.runner import load_checkpoint

from tests.conftest import halve_masks, randomise_norms


@pytest.fixture
def build_trained(build_model):
    """Build a model whose norms have statistics and whose masks vary."""

    def build(phase: str = 'joint', **kwargs):
        torch.manual_seed(0)
        model = randomise_norms(build_model(phase, **kwargs)).eval()
        return halve_masks(model, torch.randn(4, 3, 32, 32)) if phase == 'joint' else model

    return build


@pytest.mark.parametrize(
    ('phase', 'backbone'),
    [('joint', {}), ('joint', dict(mask_mode='soft')), ('pose', {}), ('pose', dict(num_stages=1))],
)
@torch.no_grad()
def test_the_deployed_network_is_the_same_function(build_trained, phase, backbone):
    model, images = build_trained(phase, **backbone), torch.randn(4, 3, 32, 32)
    before = model.backbone(images)
    heatmaps = model.head(before)
    model.switch_to_deploy()
    after = model.backbone(images)
    for old, new in zip(before, after):
        torch.testing.assert_close(new.feature, old.feature, rtol=0, atol=1e-4)
        assert (new.mask is None) == (old.mask is None)
        if old.mask is not None and model.backbone.mask_mode == 'hard':
            assert torch.equal(new.mask, old.mask)
            assert 0 < old.mask.mean() < 1  # otherwise equality shows nothing
    for old, new in zip(heatmaps, model.head(after)):
        torch.testing.assert_close(new, old, rtol=0, atol=1e-4)


def test_only_the_first_norm_of_each_residual_is_left(build_trained):
    model = build_trained()
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    residuals = [m for m in model.modules() if isinstance(m, Residual)]
    model.switch_to_deploy()
    left = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(norms) > 3 * len(residuals)
    assert left == [residual.branch[0] for residual in residuals]


def test_masks_that_do_not_run_are_dropped(build_trained):
    model = build_trained('pose')
    assert len(model.backbone.mask_branches) == 2
    model.switch_to_deploy()
    assert len(model.backbone.mask_branches) == 0


@torch.no_grad()
def test_bfloat16_computes_features_and_keeps_heatmaps_in_float32(build_trained):
    model, images = build_trained('pose'), torch.randn(4, 3, 32, 32)
    exact = model(images, None)
    model.switch_to_deploy(dtype=torch.bfloat16)
    assert {stage.feature.dtype for stage in model.backbone(images)} == {torch.bfloat16}
    for old, new in zip(exact, model(images, None)):
        assert new.dtype == torch.float32
        assert not torch.equal(new, new.bfloat16().float())
        assert (new - old).norm() < 0.05 * old.norm()


@torch.no_grad()
def test_bfloat16_masks_are_zero_or_one(build_trained, batch):
    model = build_trained()
    model.switch_to_deploy(dtype=torch.bfloat16)
    for stage in model.backbone(torch.randn(4, 3, 32, 32))[:-1]:
        assert stage.mask.unique().tolist() == [0, 1]
    model.test_cfg['output_attention'] = True
    person = model.test_step(batch)[0].pred_instances
    assert person.attention_masks.dtype == np.float32
    assert set(np.unique(person.attention_masks)) <= {0, 1}


def test_convolutions_are_channels_last(build_trained):
    model = build_trained()
    model.switch_to_deploy()
    weights = [m.weight for m in model.backbone.modules() if isinstance(m, torch.nn.Conv2d)]
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)


def test_a_deployed_model_does_not_train(build_trained):
    model = build_trained('joint').train()
    model.switch_to_deploy()
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    model.eval()
    with pytest.raises(ACNNError, match='no norms left to train'):
        model.train()


def test_a_deployed_model_loads_nothing(build_trained, tmp_path):
    model = build_trained()
    weights = copy.deepcopy(model.state_dict())
    torch.save(weights, tmp_path / 'weights.pth')
    model.switch_to_deploy()
    deployed = copy.deepcopy(model.state_dict())
    with pytest.raises(ACNNError, match='load the checkpoint first'):
        model.load_state_dict(weights, strict=False)
    with pytest.raises(ACNNError, match='load the checkpoint first'):
        load_checkpoint(model, str(tmp_path / 'weights.pth'))
    assert all(torch.equal(value, deployed[key]) for key, value in model.state_dict().items())


def test_deploying_twice_is_refused(build_trained):
    model = build_trained()
    model.switch_to_deploy()
    with pytest.raises(ACNNError, match='deployed already'):
        model.switch_to_deploy(dtype=torch.bfloat16)


def test_a_bad_dtype_leaves_the_model_as_it_was(build_trained):
    model = build_trained().train()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ACNNError, match=r'torch\.float32 or torch\.bfloat16, not torch\.float16'):
        model.switch_to_deploy(dtype=torch.float16)
    assert model.training
    assert not model.deployed
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_compile_compiles_the_deployed_backbone(build_trained, monkeypatch):
    compiled = []

    def keep(forward):
        compiled.append(forward)
        return forward

    monkeypatch.setattr('acnn_mmpose.models.estimator.compile_frozen', keep)
    model = build_trained()
    model.switch_to_deploy(compile=True)
    assert compiled == [type(model.backbone).forward.__get__(model.backbone)]


@pytest.fixture
def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), torch.nn.ReLU()).eval()


@pytest.mark.skipif(shutil.which('g++') is None, reason='torch.compile needs a C++ compiler')
def test_the_compiled_network_computes_the_same_with_frozen_weights(network):
    images = torch.randn(1, 3, 8, 8)
    expected = network(images).detach()
    compiled = compile_frozen(network.forward)
    result = compiled(images)
    torch.testing.assert_close(result, expected)
    assert not result.requires_grad
    assert not torch._inductor.config.freezing
    with torch.no_grad():
        network[0].weight.zero_()
    torch.testing.assert_close(compiled(images), expected)


def test_without_a_compiler_it_says_so(network, monkeypatch):
    monkeypatch.setattr('torch._inductor.config.cpp.cxx', ('no-such-compiler',))
    with pytest.raises(ACNNError, match=r'torch\.compile failed .* C\+\+ compiler'):
        compile_frozen(network.forward)(torch.randn(1, 3, 9, 7))
