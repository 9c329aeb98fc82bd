"""Export a trained network to ONNX, and compare it with PyTorch.

python tools/export_onnx.py CONFIG CHECKPOINT acnn.onnx --masks --verify photo.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.deploy.onnx_export import export_onnx
from acnn_mmpose.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', help='file to write, name.onnx')
    parser.add_argument('--masks', action='store_true', help='output attention masks, too')
    parser.add_argument(
        '--verify',
        nargs='+',
        default=[],
        metavar='IMAGE',
        help='images to compare outputs on; default: generated ones',
    )
    return parser.parse_args()


def main() -> None:
    """Export and report."""
    args = parse_args()
    model = engine.load_model(engine.load_config(args.config), args.checkpoint)
    done = export_onnx(model, args.out, args.masks, args.verify)
    outputs = ', '.join(f'{name} (N, {str(shape)[1:]}' for name, shape in done.shapes.items())
    print(f'{args.out}: {Path(args.out).stat().st_size / 1e6:.1f} MB, {outputs}')
    images = 'the given images' if args.verify else 'generated images'
    print(f'compared with PyTorch on {images}: relative error {done.relative_error:.1e}')


if __name__ == '__main__':
    run_tool(main)
