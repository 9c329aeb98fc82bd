"""The phases: what moves, what is frozen, what masks do."""

from __future__ import annotations

import copy

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import MASK_BRANCHES

import pytest
import torch
from mmengine.model import convert_sync_batchnorm
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmpose.models.heads.heatmap_heads import cpm_head
from mmpose.registry import MODELS
from torch import nn

from tests.conftest import model_config


def train(model, batch, steps: int = 3):
    wrapper = build_optim_wrapper(
        model, dict(optimizer=dict(type='RMSprop', lr=1e-3, alpha=0.99, weight_decay=1e-4))
    )
    model.train()
    for _ in range(steps):
        model.train_step(copy.deepcopy(batch), wrapper)
    return wrapper


@pytest.mark.parametrize(
    ('phase', 'trains_a', 'trains_b'),
    [
        ('pose', True, False),
        ('attention', False, True),
        ('joint', True, True),
    ],
)
def test_a_phase_moves_its_tasks_and_freezes_the_other(
    build_model, batch, phase, trains_a, trains_b
):
    model = build_model(phase)
    before = copy.deepcopy(model.state_dict())
    train(model, batch)
    for key, value in model.state_dict().items():
        moves = trains_b if key.startswith(MASK_BRANCHES) else trains_a
        assert torch.equal(value, before[key]) != moves, key


@pytest.mark.parametrize('phase', ['pose', 'attention', 'joint'])
def test_frozen_parameters_have_no_optimizer_state(build_model, batch, phase):
    model = build_model(phase)
    optimizer = train(model, batch).optimizer
    for name, parameter in model.named_parameters():
        frozen = phase != 'joint' and name.startswith(MASK_BRANCHES) == (phase == 'pose')
        assert parameter.requires_grad != frozen, name
        assert (parameter not in optimizer.state) == frozen, name


@pytest.mark.parametrize('phase', ['pose', 'attention', 'joint'])
def test_train_and_eval_can_be_called_in_any_order(build_model, phase):
    model = build_model(phase)
    for mode in (True, False, True, True):
        model.train(mode)
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            frozen = phase != 'joint' and name.startswith(MASK_BRANCHES) == (phase == 'pose')
            assert module.training != frozen, name
    assert model.training
    model.eval()
    assert not any(module.training for module in model.modules())


def test_norms_that_keep_their_statistics_still_train(batch):
    model = MODELS.build({**model_config('joint'), 'norm_eval': True})
    before = copy.deepcopy(model.state_dict())
    train(model, batch)
    for key, value in model.state_dict().items():
        kept = key.rpartition('.')[2] in ('running_mean', 'running_var', 'num_batches_tracked')
        assert torch.equal(value, before[key]) == kept, key
    shared = convert_sync_batchnorm(model, 'torch').train()  # of several GPUs: sync_bn='torch'
    norms = [module for module in shared.modules() if isinstance(module, nn.SyncBatchNorm)]
    assert norms
    assert not any(norm.training for norm in norms)


@torch.no_grad()
def test_phase_2_starts_from_exactly_the_function_of_phase_1(batch):
    pose = MODELS.build(model_config('pose')).eval()
    attention = MODELS.build(model_config('attention')).eval()
    weights = {k: v for k, v in pose.state_dict().items() if not k.startswith(MASK_BRANCHES)}
    attention.load_state_dict(weights, strict=False)
    images = torch.randn(4, 3, 32, 32)
    for before, after in zip(pose(images, None), attention(images, None)):
        assert torch.equal(before, after)
    attention.train()  # what phase 2 computes in its first step
    for before, after in zip(pose(images, None), attention(images, None)):
        assert torch.equal(before, after)


@pytest.mark.parametrize(
    ('phase', 'backbone'), [('attention', dict(mask_mode='ones')), ('joint', dict(num_stages=1))]
)
def test_a_phase_without_masks_to_train_is_refused(phase, backbone):
    with pytest.raises(ACNNError, match=f'phase {phase!r} trains mask branches'):
        MODELS.build(model_config(phase, **backbone))


def test_an_unknown_phase_is_refused():
    with pytest.raises(ACNNError, match=r"unknown phase 'masks'.*'pose', 'attention', 'joint'"):
        MODELS.build(model_config('masks'))


@pytest.mark.parametrize('phase', ['pose', 'attention', 'joint'])
def test_predict_gives_keypoints_in_the_image(build_model, batch, phase):
    model = build_model(phase).eval()
    # MMPose's codec gives no place to a heatmap without a positive value
    torch.nn.init.constant_(model.head.multi_final_layers[-1].bias, 10.0)
    with torch.no_grad():
        results = model.test_step(batch)
    assert len(results) == 4
    for result in results:
        keypoints = result.pred_instances.keypoints
        assert keypoints.shape == (1, 16, 2)
        assert (keypoints >= 0).all()
        assert (keypoints <= 32).all()


def test_a_training_step_stays_channels_last(build_model, batch):
    """Weights, features, gradients and the optimizer's averages: no copy between formats."""
    model = build_model().train()
    optimizer = torch.optim.RMSprop(model.parameters())
    seen = []
    for module in model.backbone.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda _, inputs, output: seen.append(output))
            module.register_full_backward_hook(lambda _, into, out_of: seen.append(*out_of))
    model.train_step(batch, OptimWrapper(optimizer, accumulative_counts=2))  # keeps gradients
    optimizer.step()
    for parameter in model.parameters():
        average = optimizer.state[parameter]['square_avg']
        # DistributedDataParallel warns that it is slow otherwise
        assert parameter.stride() == parameter.grad.stride() == average.stride()
        seen.append(parameter)
    four_dimensional = [tensor for tensor in seen if tensor.dim() == 4]
    assert len(four_dimensional) > 200
    for tensor in four_dimensional:
        assert tensor.is_contiguous(memory_format=torch.channels_last)


def test_all_of_a_training_step_is_computed_where_the_model_is(batch, monkeypatch):
    """The data loader's samples stay on the CPU, as on a GPU; device 'meta' stands for one."""
    config = model_config()
    config['head']['coverage_loss'] = dict(type='CoverageLoss', weight=0.1, joint_weight=0.1)
    model = MODELS.build(config).to('meta')
    monkeypatch.setattr(cpm_head, 'to_numpy', lambda tensor: tensor)
    monkeypatch.setattr(cpm_head, 'pose_pck_accuracy', lambda **_: (None, 0.5, None))
    data = model.data_preprocessor(batch, training=True)
    losses = model.loss(data['inputs'], data['data_samples'])
    sum(value for name, value in losses.items() if name.startswith('loss')).backward()
    assert {value.device.type for value in losses.values()} == {'meta'}
    assert {p.grad.device.type for p in model.parameters()} == {'meta'}
