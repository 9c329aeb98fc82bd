from __future__ import annotations

from acnn_mmpose.hardware import bfloat16_speedup, name_cpu

import pytest
import torch
import torch.nn.functional as F


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


def test_the_cpu_has_the_name_that_the_system_gives_it(monkeypatch):
    info = 'processor\t: 0\nmodel name\t: Fast CPU: 3 GHz \nprocessor\t: 1\nmodel name\t: Other\n'
    monkeypatch.setattr('pathlib.Path.is_file', lambda _: True)
    monkeypatch.setattr('pathlib.Path.read_text', lambda *_, **__: info)
    assert name_cpu() == 'Fast CPU: 3 GHz'
    monkeypatch.setattr('pathlib.Path.is_file', lambda _: False)
    monkeypatch.setattr('platform.processor', lambda: '')
    monkeypatch.setattr('platform.machine', lambda: 'arm64')
    assert name_cpu() == 'arm64'
