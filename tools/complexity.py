"""Print parameters and GFLOPs of a config's network.

python tools/complexity.py configs/acnn_phase3.py
"""

from __future__ import annotations

import argparse
import warnings
from typing import NamedTuple

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import run_tool
from acnn_mmpose.models import ACNN, MASK_BRANCHES

import torch
from mmpose.apis import init_model
from torch.utils.flop_counter import FlopCounterMode


class Complexity(NamedTuple):
    """Size and work of a network, per image and forward pass without flip test."""

    parameters: int
    mask_parameters: int  # those of the mask branches among them
    flops: int  # of convolutions, a multiply-add counted as two
    mask_flops: int  # 0 in phase 'pose'


def measure_complexity(model: ACNN, input_size: tuple[int, int]) -> Complexity:
    """Count parameters and operations for an input of a size (width, height) in pixels."""
    width, height = input_size
    image = torch.zeros(1, 3, height, width, device=next(model.parameters()).device)
    was_training = model.training
    model.eval()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # a newer torch does not need the model here, and says so
        counter = FlopCounterMode(model, display=False)
    with torch.no_grad(), counter:
        model(image, None, mode='tensor')
    model.train(was_training)
    per_module = counter.get_flop_counts()
    mask_flops = sum(
        sum(counts.values())
        for name, counts in per_module.items()
        if f'{name.rpartition(".")[0]}.'.endswith(MASK_BRANCHES)
    )
    return Complexity(
        parameters=sum(p.numel() for p in model.parameters()),
        mask_parameters=sum(p.numel() for p in model.backbone.mask_branches.parameters()),
        flops=counter.get_total_flops(),
        mask_flops=mask_flops,
    )


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    return parser.parse_args()


def main() -> None:
    """Count and print."""
    cfg = engine.load_config(parse_args().config)
    width, height = cfg.model.head.decoder.input_size
    result = measure_complexity(init_model(cfg, device='cpu'), (width, height))
    share = 100 * result.mask_flops / result.flops
    print(f'{cfg.filename}, input {width}x{height}, one forward pass')
    print(f'parameters  {result.parameters / 1e6:.2f} M, ', end='')
    print(f'{result.mask_parameters / 1e6:.2f} M of them in mask branches')
    print(f'GFLOPs      {result.flops / 1e9:.2f} (a multiply-add counts as two), ', end='')
    print(f'{result.mask_flops / 1e9:.2f} of them in mask branches ({share:.1f} %)')


if __name__ == '__main__':
    run_tool(main)
