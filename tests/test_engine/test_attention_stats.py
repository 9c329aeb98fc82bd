"""What the masks keep and how large the gradients are."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from acnn_mmpose.engine import AttentionStatsHook, train_in_order
from acnn_mmpose.engine.attention_stats import measure_coverage, root_mean_square
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import StageOutput

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper


def test_coverage_is_that_of_literal_counting():
    masks = [torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)]
    masks[0][:, :, :2] = 1  # the upper half
    targets = torch.zeros(2, 3, 4, 4)
    targets[0, 0, 0, 0] = 3.0  # kept by the first mask
    targets[1, 2, 3, 3] = 1.0  # not kept
    feature = torch.zeros(2, 8, 4, 4)
    stages = tuple(StageOutput(feature, mask) for mask in (*masks, None))
    coverage = measure_coverage(stages, targets)
    torch.testing.assert_close(coverage, torch.tensor([[0.5, 0.75], [1.0, 1.0]]))
    without = measure_coverage(stages, torch.zeros_like(targets))
    torch.testing.assert_close(without, torch.tensor([[0.5, 0.5], [1.0, 1.0]]))


def test_root_mean_square():
    a, b = torch.randn(3, 4), torch.randn(5)
    expected = torch.cat([a.flatten(), b]).square().mean().sqrt()
    torch.testing.assert_close(root_mean_square([a, None, b]), expected)
    assert root_mean_square([None]) is None


@pytest.mark.parametrize(
    ('phase', 'tasks'),
    [('pose', {'pose'}), ('attention', {'attention'}), ('joint', {'pose', 'attention'})],
)
def test_gradients_are_those_that_the_optimizer_gets(build_model, batch, phase, tasks):
    model = build_model(phase).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    wrapper = OptimWrapper(torch.optim.SGD(trained, lr=1.0))
    hub = MessageHub.get_instance(f'stats_{phase}')
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, message_hub=hub)
    hook = AttentionStatsHook()
    hook.before_train(runner)
    hook.before_train_iter(runner, 0, batch)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.train_step(batch, wrapper)
    hook.after_train_iter(runner, 0, batch)

    moves = {'pose': [], 'attention': []}
    for name, p in model.named_parameters():
        if p.requires_grad:
            task = 'attention' if 'mask_branches' in name else 'pose'
            moves[task].append((before[name] - p.detach()).flatten())  # lr 1: the gradient
    for task in ('pose', 'attention'):
        key = f'train/grad_rms_{task}'
        assert (key in hub.log_scalars) == (task in tasks)
        if task in tasks:
            expected = torch.cat(moves[task]).square().mean().sqrt().item()
            assert hub.get_scalar(key).current() == pytest.approx(expected, rel=1e-3)
    assert 0 <= hub.get_scalar('train/mask1_coverage').current() <= 1

    hook.before_train_iter(runner, 1, batch)
    model.train_step(batch, wrapper)
    hook.after_train_iter(runner, 1, batch)
    assert len(hub.get_scalar('train/mask1_coverage').data[0]) == 1  # not measured again
    hook.after_train(runner)
    assert not model.backbone._forward_hooks


def test_logs_and_story_boards_of_a_run(toy_config, trained):
    cfg = toy_config(3, load_from=str(trained['attention']))
    train_in_order([cfg])
    (log,) = Path(cfg.work_dir).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    logged = [line for line in lines if 'mask1_coverage' in line]
    assert len(logged) == 2  # one per epoch of 3 iterations
    for line in logged:
        assert 0 <= line['mask1_joint_coverage'] <= 1
        assert line['grad_rms_pose'] > 0
        assert line['grad_rms_attention'] > 0
    (board,) = log.parent.glob('vis_image/stories_*.png')
    assert board.name == 'stories_2.png'


def test_an_interval_of_zero_is_refused():
    with pytest.raises(ACNNError, match='at least 1, not 0'):
        AttentionStatsHook(interval=0)
