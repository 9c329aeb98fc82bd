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


def test_the_cpu_has_a_name():
    assert name_cpu()
