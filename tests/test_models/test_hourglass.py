from __future__ import annotations

from acnn_mmpose.models.hourglass import Hourglass, Residual, Stem

import pytest
import torch


@pytest.mark.parametrize(('c_in', 'c_out'), [(8, 8), (8, 16)])
def test_residual_keeps_the_size(c_in, c_out):
    assert Residual(c_in, c_out)(torch.randn(2, c_in, 6, 10)).shape == (2, c_out, 6, 10)


def test_residual_is_pre_activation():
    """With a dead branch a residual module is its shortcut: nothing follows the sum."""
    module = Residual(8, 8)
    torch.nn.init.zeros_(module.branch[-1][-1].weight)
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(module(x), x)


@pytest.mark.parametrize('depth', [1, 2, 4])
def test_hourglass_reaches_its_lowest_resolution(depth):
    module = Hourglass(depth, 8)
    sizes = []
    for layer in module.modules():
        if isinstance(layer, torch.nn.MaxPool2d):
            layer.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[-2:])))
    assert module(torch.randn(1, 8, 16, 32)).shape == (1, 8, 16, 32)
    assert sizes == [(16 >> i, 32 >> i) for i in range(1, depth + 1)]


def test_stem_has_newells_widths():
    stem = Stem(256)
    assert stem[0][0].out_channels == 64
    assert stem(torch.randn(1, 3, 64, 96)).shape == (1, 256, 16, 24)
    outputs = [m.branch[-1][-1].out_channels for m in stem if isinstance(m, Residual)]
    assert outputs == [128, 128, 256]
