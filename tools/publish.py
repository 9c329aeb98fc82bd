"""Write the weights of a checkpoint to a file for others: safetensors, without any pickle.

python tools/publish.py work_dirs/acnn_phase3/epoch_100.pth acnn_phase3

writes acnn_phase3-1a2b3c4d.safetensors, named for its own sha256.
"""

from __future__ import annotations

import argparse

from acnn_mmpose.checkpoints import publish_checkpoint
from acnn_mmpose.errors import run_tool


def main() -> None:
    """Publish and say where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', help='checkpoint file of a run')
    parser.add_argument('out', help='file to write; part of its sha256 is added to the name')
    parser.add_argument('--metrics', help='add the figures of this file: what test.py --out wrote')
    parser.add_argument('--half', action='store_true', help="convolutions' kernels in float16")
    args = parser.parse_args()
    print(publish_checkpoint(args.checkpoint, args.out, args.metrics, args.half))


if __name__ == '__main__':
    run_tool(main)
