"""Convert a published stacked hourglass to a weights file that phase 2 starts from.

python tools/convert_hourglass.py bearpaw_hg8-90e5d470.pth hg8.safetensors

Reads the PyTorch ports of bearpaw/pytorch-pose (also anibali/pytorch-stacked-hourglass) and
princeton-vl/pytorch_stacked_hourglass: docs/published_hourglasses.md.
"""

from __future__ import annotations

import argparse

from acnn_mmpose.errors import run_tool

from hourglass_ports import convert_hourglass


def main() -> None:
    """Convert and say what the config must have."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', help="state dict or training checkpoint of the port's code")
    parser.add_argument('out', help='file to write, *.safetensors')
    args = parser.parse_args()
    found = convert_hourglass(args.file, args.out)
    print(
        f'{args.out}: {found.num_stages} stacks of {found.port.name}; its config has '
        f'model.data_preprocessor.mean={list(found.port.mean)} and '
        f'model.backbone.stem_widths={found.model["backbone"]["stem_widths"]}'
    )


if __name__ == '__main__':
    run_tool(main)
