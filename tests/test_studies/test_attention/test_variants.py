"""Each variant differs from the paper's in what it says, and in nothing else."""

from __future__ import annotations

import copy

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import MaskBranch
from studies.attention.variants import OwnHeatmapsHead, VariedMaskBranch

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner


def test_by_default_masks_are_the_papers():
    y = torch.randn(2, 16, 8, 12)
    for mode in ('hard', 'soft'):
        own, paper = VariedMaskBranch(16, mode).eval(), MaskBranch(16, mode).eval()
        torch.nn.init.normal_(own.logit.weight)
        torch.nn.init.zeros_(own.logit.bias)
        paper.load_state_dict(own.state_dict())
        assert torch.equal(own(y), paper(y))


def test_threshold_moves_the_border():
    y = torch.randn(1, 16, 4, 4)
    kept = [VariedMaskBranch(16, threshold=t)(y).mean().item() for t in (0.87, 0.89)]
    assert kept == [1, 0]  # sigmoid(2) = 0.88


def test_temperature_divides_the_logit():
    branch = VariedMaskBranch(16, 'soft', init_bias=3.0, temperature=2.0)
    mask = branch(torch.randn(1, 16, 4, 4))
    expected = torch.sigmoid(torch.tensor(1.5)).item()
    torch.testing.assert_close(mask, torch.full_like(mask, expected))


def test_noise_opens_closed_cells_under_mixed_precision_too():
    branch = VariedMaskBranch(16, init_bias=-6.0, noise=1.0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mask = branch(torch.randn(4, 16, 256, 256))
    expected = torch.sigmoid(torch.tensor(-6.0)).item()  # 0.0025: about 650 of 262,144 cells
    assert mask.float().mean().item() == pytest.approx(expected, rel=0.3)


def test_noise_samples_hard_masks_in_training_only():
    branch = VariedMaskBranch(16, init_bias=1.0, noise=1.0)
    y = torch.zeros(8, 16, 50, 50)
    sample = branch(y)
    assert set(sample.unique().tolist()) == {0.0, 1.0}
    assert abs(sample.mean() - torch.sigmoid(torch.tensor(1.0))) < 0.01  # 20,000 samples
    assert torch.equal(branch.eval()(y), torch.ones_like(sample))


def test_stride_gives_neighbours_one_value():
    coarse, fine = VariedMaskBranch(16, stride=4).eval(), MaskBranch(16).eval()
    torch.nn.init.normal_(coarse.logit.weight)
    torch.nn.init.zeros_(coarse.logit.bias)
    fine.load_state_dict(coarse.state_dict())
    y = torch.randn(2, 16, 8, 12)
    blocks = fine(y.unflatten(2, (2, 4)).unflatten(4, (3, 4)).mean(dim=(3, 5)))
    assert 0 < blocks.mean() < 1
    expected = blocks.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    assert torch.equal(coarse(y), expected)


@pytest.mark.parametrize(
    'argument', [dict(threshold=1), dict(temperature=0), dict(noise=-1), dict(stride=0)]
)
def test_arguments_out_of_range_are_refused(argument):
    with pytest.raises(ACNNError, match=rf'{next(iter(argument))}={next(iter(argument.values()))}'):
        VariedMaskBranch(16, **argument)


@torch.no_grad()
def test_without_the_sum_a_prediction_is_the_stages_own(build_model):
    model = build_model()
    head = model.head
    stages = model.backbone(torch.randn(2, 3, 32, 32))
    summed = head(stages)
    for i, own in enumerate(OwnHeatmapsHead.forward(head, stages)):
        torch.testing.assert_close(own, head.multi_final_layers[i](stages[i].feature))
        assert torch.equal(own, summed[i]) == (i == 0)


@torch.no_grad()
def test_reinjection_adds_the_heatmaps_to_what_a_stage_hands_on(build_model):
    model = build_model(num_stages=2, type='HeatmapsReinjectedNet').eval()
    inputs = []
    model.backbone.thetas[1].register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    first, _ = model.backbone(torch.randn(2, 3, 32, 32))
    heatmap = model.head.multi_final_layers[0](first.feature)  # H(1), before Eq. 4
    added = model.backbone.reinjections[0](heatmap)
    assert added.abs().max() > 0
    torch.testing.assert_close(inputs[0], (first.feature + added) * first.mask)


@pytest.mark.parametrize('phase', ['joint_after_pose', 'joint_from_scratch'])
def test_both_tasks_train(build_model, batch, phase):
    model = build_model(phase, num_stages=2)
    before = copy.deepcopy(model.state_dict())
    wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='RMSprop', lr=1e-3)))
    model.train()
    for _ in range(3):
        model.train_step(copy.deepcopy(batch), wrapper)
    assert all(not torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_joint_training_may_skip_phases_that_it_says_it_skips(toy_config, trained):
    once = {'train_cfg.max_epochs': 1}
    Runner.from_cfg(toy_config(3, **{'model.phase': 'joint_from_scratch'}, **once)).train()
    skips_one = {
        'model.phase': 'joint_after_pose',
        'model.backbone.mask_branch.init_bias': 0.5,
        **once,
    }
    skips_one['optim_wrapper.optimizer.lr'] = 1e-12  # too small to move the bias
    runner = Runner.from_cfg(toy_config(3, load_from=str(trained['pose']), **skips_one))
    runner.train()
    assert runner.model.backbone.mask_branches[0].logit.bias.item() == 0.5
    runner = Runner.from_cfg(toy_config(3, load_from=str(trained['attention']), **skips_one))
    with pytest.raises(ACNNError, match="holds phase 'attention', but to start phase 'joint_after"):
        runner.train()


def test_masks_are_tested_with_what_they_were_trained_with(toy_config, trained):
    other = {
        'load_from': str(trained['joint']),
        'model.backbone.mask_branch.type': 'VariedMaskBranch',
    }
    with pytest.raises(
        ACNNError, match="trained with mask_branch .'type': 'MaskBranch'.*something"
    ):
        Runner.from_cfg(toy_config(3, **other)).test()
