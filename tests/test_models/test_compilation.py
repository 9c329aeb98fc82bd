from __future__ import annotations

import shutil

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models.compilation import compile_frozen

import pytest
import torch


@pytest.fixture
def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), torch.nn.ReLU()).eval()


@pytest.mark.skipif(shutil.which('g++') is None, reason='torch.compile needs a C++ compiler')
def test_the_compiled_network_computes_the_same_with_frozen_weights(network):
    images = torch.randn(1, 3, 8, 8)
    expected = network(images).detach()
    compiled = compile_frozen(network.forward)
    result = compiled(images)
    torch.testing.assert_close(result, expected)
    assert not result.requires_grad
    assert not torch._inductor.config.freezing
    with torch.no_grad():
        network[0].weight.zero_()
    torch.testing.assert_close(compiled(images), expected)


def test_without_a_compiler_it_says_so(network, monkeypatch):
    monkeypatch.setattr('torch._inductor.config.cpp.cxx', ('no-such-compiler',))
    with pytest.raises(ACNNError, match=r'torch\.compile failed .* C\+\+ compiler'):
        compile_frozen(network.forward)(torch.randn(1, 3, 9, 7))
