"""The paper's equations, each against a slow literal loop over pixels."""

from __future__ import annotations

import math

from acnn_mmpose.models import StageOutput

import pytest
import torch


def conv1x1(weight, bias, x):
    """A 1x1 convolution, one pixel at a time. x: (C, h, w)."""
    c_out = weight.shape[0]
    _, h, w = x.shape
    out = torch.zeros(c_out, h, w)
    for o in range(c_out):
        for v in range(h):
            for u in range(w):
                out[o, v, u] = (weight[o, :, 0, 0] * x[:, v, u]).sum()
                if bias is not None:
                    out[o, v, u] += bias[o]
    return out


def norm_relu(norm, x):
    """BatchNorm with its running statistics, then ReLU. x: (C, h, w)."""
    out = torch.zeros_like(x)
    for c in range(x.shape[0]):
        scale = norm.weight[c] / torch.sqrt(norm.running_var[c] + norm.eps)
        out[c] = (x[c] - norm.running_mean[c]) * scale + norm.bias[c]
    return out.clamp(min=0)


def f_literal(module, y):
    conv, norm, _ = module
    return norm_relu(norm, conv1x1(conv.weight, conv.bias, y))


@pytest.fixture
def traced(build_model):
    """A network in eval mode, its stage outputs, and X(i) and theta(X(i)) of every stage."""
    net = build_model('joint').backbone
    images = torch.randn(2, 3, 32, 32)
    for norm in (m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.momentum = 1.0
    with torch.no_grad():
        net.train()(images)  # running statistics of these images, so that masks vary
    net.eval()
    inputs, thetas = [], []

    def record(_, x, output):
        inputs.append(x[0])
        thetas.append(output)

    for theta in net.thetas:
        theta.register_forward_hook(record)
    with torch.no_grad():
        stages = net(images)
    return net, stages, inputs, thetas


@torch.no_grad()
def test_eq1_next_input_is_the_masked_feature(traced):
    net, stages, inputs, thetas = traced
    for i in range(net.num_stages - 1):
        for n in range(2):
            feature = f_literal(net.projections[i], inputs[i][n] + thetas[i][n])
            expected = torch.zeros_like(feature)
            for c in range(feature.shape[0]):
                for v in range(feature.shape[1]):
                    for u in range(feature.shape[2]):
                        expected[c, v, u] = feature[c, v, u] * stages[i].mask[n, 0, v, u]
            torch.testing.assert_close(inputs[i + 1][n], expected, rtol=1e-4, atol=1e-5)
    kept = torch.cat([stage.mask for stage in stages[:-1]])
    assert 0 < kept.mean() < 1  # otherwise the loop above shows nothing


@pytest.mark.parametrize('mode', ['hard', 'soft'])
@torch.no_grad()
def test_eq2_mask_is_the_sigmoid_of_two_convolutions(build_model, mode):
    branch = build_model('joint', mask_mode=mode).backbone.mask_branches[0].eval()
    y = torch.randn(1, 16, 8, 8)
    logit = conv1x1(branch.logit.weight, branch.logit.bias, f_literal(branch.hidden, y[0]))
    expected = torch.zeros(8, 8)
    for v in range(8):
        for u in range(8):
            probability = 1 / (1 + math.exp(-logit[0, v, u]))
            expected[v, u] = float(probability > 0.5) if mode == 'hard' else probability
    torch.testing.assert_close(branch(y)[0, 0], expected)
    assert expected.std() > 0


@torch.no_grad()
def test_eq3_loss_is_the_mean_with_invisible_joints_as_0_summed_over_stages(build_model, batch):
    model = build_model('joint')
    for k, sample in enumerate(batch['data_samples']):
        sample.gt_instance_labels.keypoint_weights[0, k] = 0  # one invisible joint each
    stages = model.backbone(torch.randn(4, 3, 32, 32))
    losses = model.head.loss(stages, batch['data_samples'])
    expected = 0.0
    for prediction in model.head(stages):
        for n, sample in enumerate(batch['data_samples']):
            for k in range(16):
                weight = float(sample.gt_instance_labels.keypoint_weights[0, k])
                for v in range(8):
                    for u in range(8):
                        error = float(sample.gt_fields.heatmaps[k, v, u] - prediction[n, k, v, u])
                        expected += weight * error**2 / (8 * 8) / (4 * 16)
    assert float(losses['loss_kpt']) == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_eq4_prediction_keeps_discarded_regions_of_the_one_before(build_model):
    head = build_model('joint').head
    stages = [
        StageOutput(torch.randn(2, 16, 8, 8), (torch.rand(2, 1, 8, 8) > 0.5).float()),
        StageOutput(torch.randn(2, 16, 8, 8), (torch.rand(2, 1, 8, 8) > 0.5).float()),
        StageOutput(torch.randn(2, 16, 8, 8), None),
    ]
    expected = torch.zeros(3, 2, 16, 8, 8)
    for i, stage in enumerate(stages):
        conv = head.multi_final_layers[i]
        for n in range(2):
            heatmap = conv1x1(conv.weight, conv.bias, stage.feature[n])
            for k in range(16):
                for v in range(8):
                    for u in range(8):
                        value = heatmap[k, v, u]
                        if i > 0:
                            inverse = 1 - stages[i - 1].mask[n, 0, v, u]
                            value = value + expected[i - 1, n, k, v, u] * inverse
                        expected[i, n, k, v, u] = value
    torch.testing.assert_close(torch.stack(head(stages)), expected, rtol=1e-4, atol=1e-6)


@torch.no_grad()
def test_eq5_keypoint_is_where_the_last_prediction_is_largest(build_model, batch):
    model = build_model('joint').eval()
    stages = model.backbone(torch.randn(4, 3, 32, 32))
    # MMPose's codec gives no place to a heatmap without a positive value
    torch.nn.init.constant_(model.head.multi_final_layers[-1].bias, 10.0)
    last = model.head(stages)[-1]
    instances = model.head.predict(stages, batch['data_samples'])
    for n in range(4):
        for k in range(16):
            best, place = -math.inf, None
            for v in range(8):
                for u in range(8):
                    if last[n, k, v, u] > best:
                        best, place = float(last[n, k, v, u]), (u, v)
            x, y = instances[n].keypoints[0, k]
            # MMPose's codec then moves a quarter of a pixel towards the larger neighbour
            assert abs(x / 4 - place[0]) <= 0.25
            assert abs(y / 4 - place[1]) <= 0.25
            assert instances[n].keypoint_scores[0, k] == pytest.approx(best)
