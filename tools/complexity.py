"""Print parameters and GFLOPs of a config's network.

python tools/complexity.py configs/acnn_phase3.py
"""

from __future__ import annotations

import argparse

import acnn_mmpose.engine as engine
from acnn_mmpose.engine.complexity import measure_complexity
from acnn_mmpose.errors import run_tool

from mmpose.apis import init_model


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
