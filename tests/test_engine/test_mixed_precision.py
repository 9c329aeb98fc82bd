from __future__ import annotations

import logging

from acnn_mmpose.engine import enable_amp, mixed_precision
from acnn_mmpose.engine.mixed_precision import bfloat16_speedup

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.runner import Runner


def wrapper_of(device: str) -> dict:
    cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='RMSprop'))))
    enable_amp(cfg, device)
    return cfg.optim_wrapper.to_dict()


def test_on_a_cpu_convolutions_are_bfloat16_and_weights_and_loss_float32(toy_config):
    cfg = toy_config(1, **{'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1})
    enable_amp(cfg, 'cpu')
    runner = Runner.from_cfg(cfg)
    features, losses, predictions = [], [], []
    runner.model.backbone.register_forward_hook(
        lambda module, _, stages: (features if module.training else predictions).append(
            stages[-1].feature.dtype
        )
    )
    runner.model.head.loss_module.register_forward_hook(lambda *args: losses.append(args[-1].dtype))
    start = {name: weight.clone() for name, weight in runner.model.state_dict().items()}
    runner.train()
    assert set(features) == {torch.bfloat16}
    assert set(losses) == set(predictions) == {torch.float32}
    for name, weight in runner.model.state_dict().items():
        assert weight.dtype == start[name].dtype
    assert not torch.equal(weight, start[name])


@pytest.mark.parametrize(
    ('capability', 'expected'),
    [
        ((9, 0), dict(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=dict(enabled=False))),
        ((8, 0), dict(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=dict(enabled=False))),
        ((7, 5), dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic')),
    ],
)
def test_a_gpu_takes_float16_only_where_it_lacks_bfloat16(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: capability)
    assert wrapper_of('cuda') == dict(expected, optimizer=dict(type='RMSprop'))


def test_a_cpu_takes_no_options_of_a_gpu():
    options = dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic', clip_grad=None)
    cfg = Config(dict(optim_wrapper=options))
    mixed_precision.enable_amp(cfg, 'cpu')
    assert cfg.optim_wrapper == dict(type='CpuAmpOptimWrapper', clip_grad=None)


@pytest.mark.parametrize(('speedup', 'words'), [(0.2, '5.0 times slower'), (1.9, None)])
def test_a_cpu_that_is_slow_in_bfloat16_warns(monkeypatch, build_model, speedup, words):
    said = []
    monkeypatch.setattr(mixed_precision, 'bfloat16_speedup', lambda: speedup)
    monkeypatch.setattr(mixed_precision, 'print_log', lambda *args, **kw: said.append((args, kw)))
    weights = build_model().parameters()
    mixed_precision.CpuAmpOptimWrapper(optimizer=torch.optim.RMSprop(weights))
    if words is None:
        assert not said
    else:
        ((sentence,), options) = said[0]
        assert words in sentence
        assert 'leave --amp out' in sentence
        assert options['level'] == logging.WARNING


def test_measuring_bfloat16_leaves_the_random_numbers_alone():
    state = torch.get_rng_state()
    assert bfloat16_speedup.__wrapped__() > 0
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize('slow', [torch.float32, torch.bfloat16])
def test_the_speedup_is_that_of_convolutions(monkeypatch, slow):
    convolve = F.conv2d

    def convolve_again_and_again(inputs, weight, padding):
        for _ in range(20 if inputs.dtype == slow else 0):
            convolve(inputs, weight, padding=padding)

    monkeypatch.setattr(F, 'conv2d', convolve_again_and_again)
    assert (bfloat16_speedup.__wrapped__() > 1) == (slow == torch.float32)
