from __future__ import annotations

import pytest
import torch
from mmengine.runner import Runner


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_a_test_of_the_deployed_network(toy_config, trained, dtype):
    results = []
    for deployed in (False, True):
        cfg = toy_config(3)
        cfg.load_from = str(trained['joint'])
        cfg.default_hooks.ema = dict(type='EMAHook')
        if deployed:
            cfg.default_hooks.deploy = dict(type='DeployHook', dtype=dtype)
        runner = Runner.from_cfg(cfg)
        results.append(runner.test())
        assert runner.model.deployed == deployed
    weight = runner.model.backbone.stem[0][0].weight
    assert weight.dtype == getattr(torch, dtype)
    if dtype == 'float32':
        assert results[0] == pytest.approx(results[1])
