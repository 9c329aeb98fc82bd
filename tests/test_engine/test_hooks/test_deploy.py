from __future__ import annotations

from acnn_mmpose.engine import deploy_for_test, set_checkpoint

import pytest
import torch
from mmengine.runner import Runner


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_a_test_of_the_deployed_network(toy_config, trained, dtype):
    results = []
    for deployed in (False, True):
        cfg = toy_config(3)
        set_checkpoint(cfg, str(trained['joint']))
        if deployed:
            deploy_for_test(cfg, dtype)
        runner = Runner.from_cfg(cfg)
        results.append(runner.test())
        assert runner.model.deployed == deployed
    weight = runner.model.backbone.stem[0][0].weight
    assert weight.dtype == getattr(torch, dtype)
    if dtype == 'float32':
        assert results[0] == pytest.approx(results[1])
