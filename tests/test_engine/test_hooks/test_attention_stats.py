"""What the masks keep and how large the gradients are."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace

from acnn_mmpose.engine import train_in_order
from acnn_mmpose.engine.hooks import AttentionStatsHook
from acnn_mmpose.engine.hooks.attention_stats import measure_coverage, root_mean_square

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper


def test_coverage_is_that_of_literal_counting():
    masks = torch.ones(2, 2, 4, 4)
    masks[:, 0, 2:] = 0  # the first keeps the upper half
    targets = torch.zeros(2, 3, 4, 4)
    targets[0, 0, 0, 0] = 3.0  # kept by the first mask, as are 7 of the 15 cells around it
    targets[1, 2, 3, 3] = 1.0  # not kept; of the 15 cells around it 8 are
    coverage = measure_coverage(masks, targets)
    torch.testing.assert_close(coverage, torch.tensor([[0.5, 0.75, 15 / 30], [1.0, 1.0, 1.0]]))
    targets[1, 0, 2, 0] = 1.0  # its box now is the lower half, and the background the upper
    coverage = measure_coverage(masks, targets)
    torch.testing.assert_close(coverage[0], torch.tensor([0.5, 0.6, 15 / 23]))
    without = measure_coverage(masks, torch.zeros_like(targets))
    torch.testing.assert_close(without, torch.tensor([[0.5, 0.5, 0.5], [1.0, 1.0, 1.0]]))


def test_targets_of_a_data_loader_come_to_the_masks_whatever_their_device_is():
    coverage = measure_coverage(torch.ones(2, 3, 4, 4, device='meta'), torch.zeros(2, 5, 4, 4))
    assert (coverage.device.type, coverage.shape) == ('meta', (3, 3))


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
    for share in ('coverage', 'joint_coverage', 'background_coverage'):
        assert 0 <= hub.get_scalar(f'train/mask1_{share}').current() <= 1
    for name, is_reached in (('mask1', phase != 'pose'), ('feature1', phase == 'joint')):
        assert (f'train/grad_rms_{name}' in hub.log_scalars) == is_reached

    hook.before_train_iter(runner, 1, batch)
    model.train_step(batch, wrapper)
    hook.after_train_iter(runner, 1, batch)
    assert len(hub.get_scalar('train/mask1_coverage').data[0]) == 1  # not measured again
    hook.after_train(runner)
    assert not model.backbone._forward_hooks


def test_a_scaled_loss_leaves_the_figures_as_they_are(build_model, batch):
    """MMEngine's AmpOptimWrapper needs a GPU; this is its scaling."""

    class ScalingWrapper(OptimWrapper):
        loss_scaler = SimpleNamespace(get_scale=lambda: 1024.0)

        def backward(self, loss, **kwargs):
            super().backward(loss * 1024.0, **kwargs)

        def step(self, **kwargs):
            for group in self.param_groups:
                for parameter in group['params']:
                    parameter.grad /= 1024.0
            super().step(**kwargs)

    class FusedWrapper(ScalingWrapper):
        def step(self, **kwargs):
            self.optimizer.grad_scale = torch.tensor(1024.0)  # by which it divides in its kernel
            for hook in self.optimizer._optimizer_step_pre_hooks.values():
                hook(self.optimizer, (), {})

    model = build_model('joint').train()
    measured = []
    for wrapper_class in (OptimWrapper, ScalingWrapper, FusedWrapper):
        own = copy.deepcopy(model)
        wrapper = wrapper_class(torch.optim.SGD(own.parameters(), lr=1e-3))
        hub = MessageHub.get_instance(f'stats_{wrapper_class.__name__}')
        runner = SimpleNamespace(model=own, optim_wrapper=wrapper, message_hub=hub)
        hook = AttentionStatsHook()
        hook.before_train(runner)
        hook.before_train_iter(runner, 0, batch)
        own.train_step(copy.deepcopy(batch), wrapper)
        hook.after_train_iter(runner, 0, batch)
        figures = {name: value.current() for name, value in hub.log_scalars.items()}
        measured.append({name: v for name, v in figures.items() if 'grad_rms' in name})
    assert {'train/grad_rms_mask1', 'train/grad_rms_pose'} <= measured[0].keys()
    assert measured[1] == pytest.approx(measured[0], rel=1e-4)
    assert measured[2] == pytest.approx(measured[0], rel=1e-4)


def test_accumulated_gradients_are_measured_when_they_make_a_step(build_model, batch):
    model = build_model('joint').train()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3), accumulative_counts=3)
    hub = MessageHub.get_instance('stats_accumulated')
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, message_hub=hub)
    hook = AttentionStatsHook(interval=4)
    hook.before_train(runner)
    measured = []
    for i in range(9):  # steps after iterations 2, 5 and 8, to be measured from 0, 4 and 8 on
        hook.before_train_iter(runner, i, batch)
        model.train_step(batch, wrapper)
        hook.after_train_iter(runner, i, batch)
        names = ('mask1_coverage', 'grad_rms_pose', 'grad_rms_attention', 'grad_rms_mask1')
        scalars = (hub.log_scalars.get(f'train/{name}') for name in names)
        measured.append([len(scalar.data[0]) if scalar else 0 for scalar in scalars])
    assert measured == [[n] * 4 for n in (0, 0, 1, 1, 1, 2, 2, 2, 3)]


def test_gradients_at_the_mask_are_those_of_its_replicas_added(build_model, batch):
    """Eq. 1 with the mask replicated by hand; Eq. 4 without its sum, which uses the mask, too."""
    model = build_model('joint', num_stages=2)
    model.head.forward = model.head.compute_heatmaps
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3))
    hub = MessageHub.get_instance('stats_replicas')
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, message_hub=hub)
    hook = AttentionStatsHook()
    hook.before_train(runner)
    hook.before_train_iter(runner, 0, batch)
    features, products = [], []
    model.backbone.register_forward_hook(lambda *args: features.append(args[2][0].feature))

    def keep_product(_, args):  # X(2)
        args[0].retain_grad()
        products.append(args[0])

    model.backbone.thetas[1].register_forward_pre_hook(keep_product)
    model.train_step(batch, wrapper)
    hook.after_train_iter(runner, 0, batch)
    replicas = products[0].grad * features[0].detach()
    expected = replicas.sum(dim=1).square().mean().sqrt().item()
    measured = hub.get_scalar('train/grad_rms_mask1').current()
    assert measured == pytest.approx(expected, rel=1e-3)


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


@pytest.mark.parametrize(
    ('history', 'warnings'),
    [
        ([1, 1], []),
        ([1, 1, 1, 1, 1], [2]),  # once
        ([0, 0, 0.0005, 0], [2]),
        ([1, 1, 0.9, 1, 1], []),
        ([1, 1, float('nan'), 1, 1], []),  # the loss guard ends such a run
        ([1, 1, 1, 0.5, 1, 1, 1, 1], [2, 6]),  # it recovered and died anew
    ],
)
def test_a_mask_dies_once_each_time_that_it_stays_at_zero_or_one(build_model, history, warnings):
    said = []
    logger = SimpleNamespace(warning=said.append)
    runner = SimpleNamespace(model=build_model('joint'), logger=logger)
    hook = AttentionStatsHook(patience=3)
    warned = []
    for i, coverage in enumerate(history):
        hook._warn_of_dead_masks(runner, [coverage, 0.5])
        warned += [i] * len(said)
        said.clear()
    assert warned == warnings


@pytest.mark.parametrize(
    ('phase', 'bias', 'sentences'),
    [
        (
            'attention',
            9.0,
            ['everything (coverage 1.000)', 'a lower model.backbone.mask_branch.init_bias'],
        ),
        (
            'joint',
            -9.0,
            ['nothing (coverage 0.000)', 'a higher model.backbone.mask_branch.init_bias'],
        ),
        ('joint', 0.0, []),
        ('pose', 9.0, []),  # all ones by design
    ],
)
def test_a_dead_mask_is_named_once(build_model, batch, phase, bias, sentences):
    model = build_model(phase, num_stages=2)
    if bias:
        torch.nn.init.zeros_(model.backbone.mask_branches[0].logit.weight)
        torch.nn.init.constant_(model.backbone.mask_branches[0].logit.bias, bias)
    wrapper = OptimWrapper(torch.optim.SGD(model.train().parameters(), lr=0.0))
    warnings = []
    logger = SimpleNamespace(warning=warnings.append)
    hub = MessageHub.get_instance(f'dead_{phase}_{bias}')
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, message_hub=hub, logger=logger)
    hook = AttentionStatsHook(interval=1, patience=3)
    hook.before_train(runner)
    for i in range(4):
        hook.before_train_iter(runner, i, batch)
        model.train_step(batch, wrapper)
        hook.after_train_iter(runner, i, batch)
    assert len(warnings) == (len(sentences) > 0)
    for sentence in (*sentences, 'mask of stage 1', 'for 3 measurements', 'learning rate'):
        assert all(sentence in warning for warning in warnings)
