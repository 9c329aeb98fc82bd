"""Region execution: what a stage computes, and where that changes its result."""

from __future__ import annotations

import copy

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models.regions import Window, find_windows, force_window, run_in_windows

import pytest
import torch
from mmengine.optim import build_optim_wrapper

from tests.conftest import halve_masks, randomise_norms


def paint(*boxes, size=(16, 16)):
    """Masks (N, 1, h, w) that keep the corners of (top, bottom, left, right), ends exclusive."""
    masks = torch.zeros(len(boxes), 1, *size)
    for mask, box in zip(masks, boxes):
        if box is not None:
            top, bottom, left, right = box
            mask[0, top, left] = mask[0, bottom - 1, right - 1] = 1
    return masks


@pytest.mark.parametrize(
    ('box', 'expected'),
    [
        ((0, 16, 0, 16), None),
        ((0, 1, 0, 1), Window(0, 0, 4, 4)),
        ((4, 8, 12, 16), Window(4, 12, 4, 4)),
        ((3, 9, 5, 6), Window(0, 4, 12, 4)),
        ((15, 16, 0, 16), Window(12, 0, 4, 16)),
        (None, Window(0, 0, 4, 4, kept=False)),
    ],
)
def test_a_window_is_the_box_grown_to_the_grid(box, expected):
    windows = find_windows(paint(box), None, grid=4, one_size=False)
    assert windows == (None if expected is None else [expected])


def test_windows_of_a_map_that_is_not_square():
    (window,) = find_windows(paint((1, 7, 17, 19), size=(8, 24)), None, grid=4, one_size=False)
    assert window == Window(0, 16, 8, 4)


def test_in_training_all_windows_have_one_size_within_their_outer_ones():
    outer = [Window(0, 0, 12, 8), Window(4, 8, 12, 8), Window(0, 4, 12, 8), Window(4, 4, 12, 8)]
    masks = paint((0, 8, 1, 2), (13, 16, 9, 16), (8, 9, 5, 6), None)
    windows = find_windows(masks, outer, grid=4, one_size=True)
    assert windows == [
        Window(0, 0, 8, 8),
        Window(8, 8, 8, 8),
        Window(4, 4, 8, 8),
        Window(4, 4, 8, 8, kept=False),
    ]


@pytest.mark.parametrize(
    ('outer', 'expected'),
    [
        (Window(0, 0, 16, 16), Window(12, 8, 4, 8)),
        (Window(8, 12, 8, 4), Window(8, 12, 8, 4)),
    ],
)
def test_in_training_a_window_has_two_cells_at_the_coarsest_scale(outer, expected):
    assert find_windows(paint((13, 14, 13, 14)), [outer], 4, one_size=True) == [expected]


def test_windows_are_run_by_size_and_put_back_in_place():
    x = torch.randn(4, 3, 16, 16)
    kept = (torch.rand(4, 1, 16, 16) > 0.5).float()
    windows = [
        Window(0, 4, 8, 4),
        Window(4, 8, 4, 8),
        Window(8, 12, 8, 4),
        Window(0, 0, 4, 8, kept=False),
    ]
    shapes = []

    def stage(crops):
        shapes.append(tuple(crops.shape))
        return crops + 1, None, crops[:, :1] * 2

    feature, nothing, mask = run_in_windows(stage, x, kept, windows)
    assert shapes == [(2, 3, 8, 4), (2, 3, 4, 8)]
    assert nothing is None
    inside = torch.zeros(4, 1, 16, 16)
    inside[0, :, 0:8, 4:8] = inside[1, :, 4:8, 8:16] = inside[2, :, 8:16, 12:16] = 1
    assert torch.equal(feature, (x * kept + 1) * inside)
    assert torch.equal(mask, x[:, :1] * kept * 2 * inside)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(4, 3, 64, 64)


@pytest.fixture
def network(build_model, images):
    """A backbone on 16x16 maps with a grid of 4 cells, whose masks vary."""
    return halve_masks(randomise_norms(build_model()).eval(), images).backbone


@torch.no_grad()
def test_where_every_window_is_the_whole_map_nothing_changes(network, images):
    with force_window(network.mask_branches, Window(0, 0, 16, 16)):
        expected = network(images)
        network.regions = True
        for old, new in zip(expected, network(images)):
            assert torch.equal(new.feature, old.feature)
            assert new.mask is old.mask or torch.equal(new.mask, old.mask)


@torch.no_grad()
def test_a_stage_sees_the_window_alone(network, images):
    """Stage 2 on a window is stage 2 of a network on a map of that size."""
    window = Window(4, 8, 12, 8)
    part = (slice(None), slice(None), slice(4, 16), slice(8, 16))
    network.regions = True
    with force_window(network.mask_branches, window):
        first, second, third = network(images)
    y = first.feature[part] + network.thetas[1](first.feature[part])
    torch.testing.assert_close(second.feature[part], network.projections[1](y))
    y = second.feature[part] + network.thetas[2](second.feature[part])
    torch.testing.assert_close(third.feature[part], network.projections[2](y))
    for stage in (second, third):
        outside = stage.feature.clone()
        outside[part] = 0
        assert not outside.any()
    assert torch.equal(first.mask, second.mask)


@torch.no_grad()
def test_a_network_without_padding_differs_only_outside_the_window(network, images):
    """Convolutions that look at no neighbours see no border of the window."""
    for theta in network.thetas:
        for module in list(theta.modules()):
            if isinstance(module, torch.nn.Conv2d) and module.kernel_size == (3, 3):
                module.weight[:] *= torch.eye(3)[1].outer(torch.eye(3)[1])  # the centre only
    window, part = Window(4, 8, 12, 8), (slice(None), slice(None), slice(4, 16), slice(8, 16))
    with force_window(network.mask_branches, window):
        normal = network(images)
        network.regions = True
        for old, new in zip(normal[1:], network(images)[1:]):
            torch.testing.assert_close(new.feature[part], old.feature[part])
            outside = old.feature.clone()
            outside[part] = 0
            assert outside.any()  # an input of zeros is none: norms shift it


BOXES = [(0, 3, 0, 9), (4, 16, 4, 8), (0, 16, 0, 16), None]
WINDOWS = [
    Window(0, 0, 4, 12),
    Window(4, 4, 12, 4),
    Window(0, 0, 16, 16),
    Window(0, 0, 4, 4, kept=False),
]


@torch.no_grad()
def test_windows_nest(network, images):
    """What the second mask keeps lies in what the first keeps, and so does what is computed."""
    network.regions = True
    network.mask_branches[0].register_forward_hook(lambda *_: paint(*BOXES))
    first, second, third = network(images)
    assert find_windows(first.mask, None, 4, one_size=False) == WINDOWS
    for mask, feature, inputs in zip(second.mask, second.feature, WINDOWS):
        top, left, height, width, kept = inputs
        outside = torch.cat([mask, feature])
        if kept:
            assert outside.any()
            outside[:, top : top + height, left : left + width] = 0
        assert not outside.any()
    inner = find_windows(second.mask, WINDOWS, 4, one_size=False)
    for feature, small, large in zip(third.feature, inner, WINDOWS):
        assert large.top <= small.top
        assert small.top + small.height <= large.top + large.height
        assert large.left <= small.left
        assert small.left + small.width <= large.left + large.width
        feature[:, small.top : small.top + small.height, small.left : small.left + small.width] = 0
        assert not feature.any()


@torch.no_grad()
def test_people_of_a_batch_do_not_depend_on_each_other(network, images):
    network.regions = True
    torch.nn.init.constant_(network.mask_branches[1].logit.bias, 1e6)
    masks = paint(*BOXES)
    network.mask_branches[0].register_forward_hook(lambda branch, args, out: masks[: len(out)])
    together = network(images)
    for n in range(4):
        masks = paint(BOXES[n])
        for alone, stage in zip(network(images[n : n + 1]), together):
            torch.testing.assert_close(alone.feature[0], stage.feature[n], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_mask_that_keeps_nothing_keeps_the_prediction_before(build_model, images):
    model = build_model(regions=True).eval()
    torch.nn.init.constant_(model.backbone.mask_branches[0].logit.bias, -1e6)
    stages = model.backbone(images)
    assert not stages[1].feature.any()
    assert not stages[1].mask.any()
    assert not stages[2].feature.any()
    predictions = model.head(stages)
    biases = [layer.bias[:, None, None] for layer in model.head.multi_final_layers]
    torch.testing.assert_close(predictions[2], predictions[0] + biases[1] + biases[2])


@pytest.mark.parametrize('mode', ['soft', 'ones'])
def test_masks_that_discard_nothing_are_refused(build_model, mode):
    with pytest.raises(ACNNError, match=f"needs mask_mode='hard', not '{mode}'"):
        build_model('pose', mask_mode=mode, regions=True)
    model = build_model('pose', mask_mode=mode)
    with pytest.raises(ACNNError, match="regions=True needs mask_mode='hard'"):
        model.backbone.regions = True


@pytest.mark.parametrize('phase', ['attention', 'joint'])
def test_training_runs_each_stage_once_and_reaches_the_mask_branches(build_model, batch, phase):
    model = build_model(phase, depth=1, regions=True)
    with torch.no_grad():
        halve_masks(model, torch.stack(batch['inputs']).float())
    sizes = []
    for theta in model.backbone.thetas:
        theta.register_forward_hook(lambda m, args, out: sizes.append(tuple(out.shape)))
    wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='RMSprop', lr=1e-3)))
    model.train()
    before = copy.deepcopy(model.state_dict())
    with force_window(model.backbone.mask_branches[:1], Window(2, 0, 4, 6)):
        model.train_step(batch, wrapper)
    assert [shape[0] for shape in sizes] == [4, 4, 4]
    assert sizes[1][2:] == (4, 6)
    for name, value in model.state_dict().items():
        if name.endswith('logit.weight') and '.1.' in name:
            assert not torch.equal(value, before[name]), name


def test_in_training_a_process_that_keeps_nothing_runs_every_stage(build_model, batch):
    model = build_model('joint', regions=True).train()
    torch.nn.init.constant_(model.backbone.mask_branches[0].logit.bias, -1e6)
    data = model.data_preprocessor(batch, training=True)
    model.loss(data['inputs'], data['data_samples'])['loss_kpt'].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert not model.backbone.thetas[1][1].branch[0][2].weight.grad.any()
