"""Sparse stages: what is computed, in both forms, against plain references."""

from __future__ import annotations

import copy
from functools import partial

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models.hourglass import Residual
from studies.attention import variants  # noqa: F401  (registers mask branches)
from studies.sparse import (
    SparseHead,
    SparseHourglassNet,
    run_sparse_stage,
    stages,
    with_sparse_stages,
)
from studies.sparse.stages import KeptRows, MaskedMaps

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmpose.registry import MODELS

from tests.conftest import halve_masks, model_config, randomise_norms

assert_close = partial(torch.testing.assert_close, rtol=1e-5, atol=1e-5)

FORMS = {'maps': -1.0, 'rows': 1.0}
SHARES = [0, 0.02, 0.15, 0.3, 0.5, 0.8, 1]


@pytest.fixture(params=FORMS)
def form(request, monkeypatch):
    """Run the test in each of the two forms."""
    monkeypatch.setattr(stages, 'DENSE_ABOVE', FORMS[request.param])
    monkeypatch.setattr(stages, 'ROWS_AT_ONCE', 50)
    return request.param


@pytest.fixture
def both_forms(monkeypatch):
    """Call a function in each of the two forms: both_forms(run) -> [in maps, in rows]."""

    def run_both(run):
        results = []
        for limit in FORMS.values():
            monkeypatch.setattr(stages, 'DENSE_ABOVE', limit)
            results.append(run())
        return results

    return run_both


def random_masks(share, *size):
    """Masks (N, 1, h, w) that keep other cells, and others shares, in every person."""
    shares = torch.linspace(0.5, 1.5, size[0]).view(-1, 1, 1, 1) * share
    return (torch.rand(size[0], 1, *size[1:]) < (shares if share < 1 else 1)).float()


@pytest.fixture
def build_stage(build_model):
    """Build a trained-looking second stage: its theta, f and f_c."""

    def build(**backbone):
        network = randomise_norms(build_model(**backbone)).eval().backbone
        return network.thetas[1], network.projections[1], network.mask_branches[1]

    return build


def literal_residual(module, x, kept):
    """R(x; M), cell by cell."""
    first, second, third = module.branch
    hidden, output = {}, torch.zeros_like(x)
    cells = [tuple(cell) for cell in kept.nonzero().tolist()]
    for n, i, j in cells:
        cell = first(x[n : n + 1, :, i : i + 1, j : j + 1])
        hidden[n, i, j] = second[:2](cell)[0, :, 0, 0]
    for n, i, j in cells:
        total = 0
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                neighbour = hidden.get((n, i + di, j + dj))
                if neighbour is not None:
                    total = total + second[2].weight[:, :, di + 1, dj + 1] @ neighbour
        output[n, :, i, j] = x[n, :, i, j] + third(total.view(1, -1, 1, 1))[0, :, 0, 0]
    return output


@pytest.mark.parametrize('make', [MaskedMaps, KeptRows])
@pytest.mark.parametrize('share', [0.1, 0.6, 1])
def test_a_residual_is_that_of_a_literal_loop(make, share):
    module = randomise_norms(Residual(4, 4)).eval()
    kept = random_masks(share, 2, 5, 7)[:, 0] > 0
    x = (torch.randn(2, 4, 5, 7) * kept[:, None]).requires_grad_()
    weights = torch.randn(2, 4, 5, 7)
    inputs = [x, *module.parameters()]
    form = make(kept[:, None])
    output, expected = (
        form.leave(form.residual(module, form.enter(x))),
        literal_residual(module, x, kept),
    )
    assert_close(output, expected)
    gradients = torch.autograd.grad((output * weights).sum(), inputs)
    for got, want in zip(gradients, torch.autograd.grad((expected * weights).sum(), inputs)):
        assert_close(got, want, atol=1e-4)


def plain_residual(module, x, kept):
    first, second, third = module.branch
    hidden = second[:2](first(x)) * kept
    return (module.shortcut(x) + third(second[2](hidden))) * kept


def plain_stage(theta, projection, mask_branch, x, mask):
    """The definition, for an hourglass of any depth."""
    kept = mask.detach()
    half = F.max_pool2d(kept, 2)
    hourglass, residual = theta
    upsample = partial(F.interpolate, scale_factor=2)
    x = x * kept * mask
    low = inner_input = plain_residual(hourglass.down[1], F.max_pool2d(x, 2), half)
    if isinstance(hourglass.inner, Residual):
        low = plain_residual(hourglass.inner, low, half)
    else:
        inner = hourglass.inner
        low = upsample(inner.up(inner.inner(inner.down(inner_input)))) * half
        low = plain_residual(inner.skip, inner_input, half) + low
    low = upsample(plain_residual(hourglass.up, low, half)) * kept
    y = x + plain_residual(residual, plain_residual(hourglass.skip, x, kept) + low, kept)
    return projection(y) * kept, mask_branch(y) * kept


@pytest.mark.parametrize('share', SHARES)
@pytest.mark.parametrize(('depth', 'size'), [(1, (2, 6, 10)), (2, (3, 12, 4)), (3, (1, 8, 24))])
def test_a_stage_and_its_gradients_are_those_of_the_definition(
    build_stage, form, share, depth, size
):
    theta, projection, branch = build_stage(depth=depth)
    mask = random_masks(share, *size).requires_grad_()
    x = torch.randn(size[0], 16, *size[1:], requires_grad=True)
    inputs = [x, mask, *theta.parameters(), *projection.parameters(), *branch.parameters()]
    # squared: it weighs cells differently, and the masks' gradient is the sigmoid's
    outputs, gradients = [], []
    for stage in (run_sparse_stage, plain_stage):
        feature, logit_mask = stage(theta, projection, branch, x, mask)
        outputs.append((feature, logit_mask))
        loss = (feature**2).mean() + (logit_mask * torch.arange(size[2])).mean()
        gradients.append(torch.autograd.grad(loss, inputs, allow_unused=True))
    for got, want in zip(*outputs):
        assert_close(got, want)
    for got, want in zip(*gradients):
        scale = want.abs().max().clamp(min=1)
        assert_close(got / scale, want / scale)


@pytest.mark.parametrize('share', [0.1, 0.5])
def test_norms_that_train_see_kept_cells_alone(build_stage, both_forms, share):
    modules = torch.nn.ModuleList(build_stage()).train()
    state = copy.deepcopy(modules.state_dict())
    mask = random_masks(share, 3, 8, 12)
    x = torch.randn(3, 16, 8, 12)

    def run(x=x):
        modules.load_state_dict(state)
        modules.zero_grad()
        feature, next_mask = run_sparse_stage(*modules, x, mask)
        (feature.square().sum() + next_mask.sum()).backward()
        gradients = [parameter.grad for parameter in modules.parameters()]
        return [feature, *copy.deepcopy(modules.state_dict()).values()], gradients

    (outputs, gradients), (rows_outputs, rows_gradients) = both_forms(run)
    for got, want in zip(rows_outputs, outputs):
        assert_close(got, want, atol=1e-4)
    for got, want in zip(rows_gradients, gradients):
        scale = want.abs().max().clamp(min=1)
        assert_close(got / scale, want / scale, atol=1e-4)
    for moved, _ in both_forms(partial(run, x + 100 * (1 - mask))):
        for got, want in zip(moved, outputs):
            assert_close(got, want, atol=1e-4)


@pytest.mark.parametrize('make', [MaskedMaps, KeptRows])
@pytest.mark.parametrize('count', [1, 2, 3])
def test_two_kept_cells_are_enough_for_statistics(make, count):
    x = torch.randn(1, 4, 1, 3)
    form = make(torch.arange(3).view(1, 1, 1, 3) < count)
    normalised = form.leave(form.normalise(torch.nn.BatchNorm2d(4).train(), form.enter(x)))
    expected = torch.nn.BatchNorm2d(4).train(count > 1)(x[..., :count])
    assert_close(normalised[..., :count], expected)


def test_in_training_one_kept_cell_has_no_statistics(build_stage, form):
    modules = torch.nn.ModuleList(build_stage()).train()
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 1, 2] = 1
    feature, _ = run_sparse_stage(*modules, torch.randn(1, 16, 8, 8), mask)
    assert feature.isfinite().all()


def make_sparse(phase='joint', **backbone):
    """Build the model of conftest's config, with sparse stages."""
    cfg = Config(dict(model=model_config(phase, **backbone)))
    return MODELS.build(with_sparse_stages(cfg).model)


@pytest.fixture
def build_sparse(build_model):
    """Build a network on 16x24 maps of 3 people, whose masks vary, and its images."""

    def build(phase='joint', **backbone):
        dense = randomise_norms(build_model(phase, **backbone)).eval()
        images = torch.randn(3, 3, 64, 96)
        halve_masks(dense, images)
        with torch.no_grad():
            for branch in dense.backbone.mask_branches:
                branch.logit.bias += 1e-3  # the median cell was at 0, which folding norms moves
        model = make_sparse(phase, **backbone).eval()
        model.load_state_dict(dense.state_dict())
        return model, images

    return build


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
@pytest.mark.parametrize('deployed', [False, True])
@torch.no_grad()
def test_a_network_is_the_same_function_in_both_forms(build_sparse, both_forms, device, deployed):
    if device == 'cuda' and not torch.cuda.is_available():
        pytest.skip('no GPU')
    torch.manual_seed(2)  # masks of which each keeps a part of the one before
    model, images = build_sparse()
    model, images = model.to(device), images.to(device)
    before = model(images, None)[-1]
    if deployed:
        model.switch_to_deploy()
        assert_close(model(images, None)[-1], before, atol=1e-4)
    stages, rows = both_forms(lambda: model.backbone(images))
    assert 0.05 < stages[1].mask.mean() < stages[0].mask.mean() < 0.95
    for got, want in zip(rows, stages):
        assert_close(got.feature, want.feature)
        assert want.mask is None or torch.equal(got.mask, want.mask)
    for got, want in zip(model.head(rows), model.head(stages)):
        assert_close(got, want)


@torch.no_grad()
def test_bfloat16_is_near_float32(build_sparse, form):
    model, images = build_sparse(num_stages=2)
    exact = model(images, None)[-1]
    mask = model.backbone(images)[0].mask
    model.switch_to_deploy(dtype=torch.bfloat16)
    model.backbone.mask_branches[0].register_forward_hook(lambda *args: mask.bfloat16())
    stage = model.backbone(images)[1]
    assert stage.feature.dtype == torch.bfloat16
    assert (model(images, None)[-1] - exact).norm() < 0.05 * exact.norm()


def test_mixed_precision_trains(build_sparse, form):
    model, images = build_sparse()
    model.train()
    with torch.autocast('cpu', torch.bfloat16):
        predictions = model(images, None)
    predictions[-1].square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_detached_branch_sends_nothing_back(build_stage, form):
    theta, projection, branch = build_stage(mask_branch=dict(detached=True))
    _, mask = run_sparse_stage(
        theta, projection, branch, torch.randn(2, 16, 8, 8), random_masks(0.5, 2, 8, 8)
    )
    mask.sum().backward()
    assert branch.hidden[0].weight.grad.any()
    assert all(parameter.grad is None for parameter in theta.parameters())


@torch.no_grad()
def test_masks_that_keep_everything_change_nothing(build_sparse, build_model, form):
    model, images = build_sparse()
    for branch in model.backbone.mask_branches:
        branch.logit.bias.fill_(1e6)
    dense = build_model().eval()
    dense.load_state_dict(model.state_dict())
    for prediction, expected in zip(model(images, None), dense(images, None)):
        assert_close(prediction, expected)


@torch.no_grad()
def test_a_mask_that_keeps_nothing_keeps_the_prediction_before(build_sparse, form):
    model, images = build_sparse()
    model.backbone.mask_branches[0].logit.bias.fill_(-1e6)
    stages = model.backbone(images)
    for stage in stages[1:]:
        assert not stage.feature.any()
        assert stage.mask is None or not stage.mask.any()
    predictions = model.head(stages)
    assert torch.equal(predictions[1], predictions[0])
    assert torch.equal(predictions[2], predictions[0])


@torch.no_grad()
def test_masks_nest_and_heatmaps_exist_in_kept_cells_only(build_sparse):
    """P(i) = M H(i) + (1 - M) P(i-1)."""
    model, images = build_sparse()
    stages = model.backbone(images)
    assert (stages[1].mask <= stages[0].mask).all()
    previous = model.head.multi_final_layers[0](stages[0].feature)
    for i in (1, 2):
        mask = stages[i - 1].mask
        assert 0 < mask.mean() < 1
        heatmap = model.head.multi_final_layers[i](stages[i].feature)
        previous = torch.where(mask > 0, heatmap, previous)
        assert_close(model.head(stages)[i], previous)


@torch.no_grad()
def test_people_of_a_batch_do_not_depend_on_each_other(build_sparse):
    model, images = build_sparse()
    together = model(images, None)[-1]
    for person, image in zip(together, images):
        assert_close(model(image[None], None)[-1][0], person)


def test_maps_are_computed_in_full_where_much_is_kept(build_stage, monkeypatch):
    used = []
    monkeypatch.setattr(MaskedMaps, 'enter', lambda *args: used.append('maps') or 1 / 0)
    monkeypatch.setattr(KeptRows, 'enter', lambda *args: used.append('rows') or 1 / 0)
    for share in (0, 0.65, 0.67, 1):
        mask = torch.zeros(2, 1, 10, 10)
        mask.view(-1)[: round(200 * share)] = 1
        with pytest.raises(ZeroDivisionError):
            run_sparse_stage(*build_stage(), torch.zeros(2, 16, 10, 10), mask)
    assert used == ['rows', 'rows', 'maps', 'maps']


def test_a_process_that_keeps_nothing_has_all_gradients(batch, form):
    model = make_sparse().train()
    torch.nn.init.constant_(model.backbone.mask_branches[0].logit.bias, -1e6)
    data = model.data_preprocessor(batch, training=True)
    model.loss(data['inputs'], data['data_samples'])['loss_kpt'].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert not model.backbone.thetas[1][1].branch[0][2].weight.grad.any()


@torch.no_grad()
def test_the_flip_test_halves_what_was_computed(build_sparse, batch):
    model, _ = build_sparse()
    batch = {key: value[:1] for key, value in batch.items()}
    model.test_cfg = dict(flip_test=True, output_heatmaps=True)
    assert model.test_step(batch)[0].pred_fields.heatmaps.isfinite().all()


@torch.no_grad()
def test_without_masks_every_stage_is_dense(build_model):
    images = torch.randn(1, 3, 32, 32)
    dense, model = build_model('pose').eval(), make_sparse('pose').eval()
    model.load_state_dict(dense.state_dict())
    assert_close(model(images, None)[-1], dense(images, None)[-1])


@pytest.mark.parametrize(
    'options',
    [
        dict(mask_mode='soft'),
        dict(mask_mode='ones'),
        dict(reinjection=16),
        dict(mask_branch=dict(type='VariedMaskBranch', threshold=0.3)),
    ],
)
def test_networks_of_another_function_are_refused(options):
    with pytest.raises(ACNNError, match=r"sparse stages need mask_mode='hard', reinjection=0"):
        make_sparse('pose', **options)


def test_the_config_that_trains_it_builds_it():
    cfg = Config.fromfile('studies/sparse/configs/acnn_phase3.py')
    model = MODELS.build(cfg.model)
    assert (type(model.backbone), type(model.head)) == (SparseHourglassNet, SparseHead)
    assert model.phase == 'joint'
