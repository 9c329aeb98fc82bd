"""Cut the first stages out of a checkpoint, to train them on as a network of their own.

python -m studies.sparse.cut epoch_28.pth 2 two_stages.pth
"""

from __future__ import annotations

import argparse
import io
import re

from acnn_mmpose.checkpoints import load_from_local
from acnn_mmpose.errors import ACNNError, run_tool
from acnn_mmpose.files import write_whole

import torch

OF_A_STAGE = re.compile(r'(?:backbone\.(thetas|projections|mask_branches)|head\.\w+)\.(\d+)\.')


def cut(checkpoint: str, num_stages: int, out: str) -> None:
    """Write the weights of the first stages of a checkpoint, >= 1, to another checkpoint.

    Raises:
        ACNNError: If the checkpoint has no more stages than that.
    """
    content = load_from_local(checkpoint, 'cpu')
    weights = {}
    for key, value in content.get('state_dict', {}).items():
        stage = OF_A_STAGE.match(key)
        if stage is None or int(stage[2]) < num_stages - (stage[1] == 'mask_branches'):
            weights[key] = value
    if num_stages < 1 or len(weights) == len(content.get('state_dict', {})):
        raise ACNNError(
            f'{checkpoint} can not be cut to {num_stages} stages: give fewer than it has'
        )
    stream = io.BytesIO()
    torch.save({'meta': content.get('meta', {}), 'state_dict': weights}, stream)
    write_whole(out, stream.getvalue())


def main() -> None:
    """Parse the command line and cut."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('num_stages', type=int, help='how many to keep')
    parser.add_argument('out', help='checkpoint file to write')
    args = parser.parse_args()
    cut(args.checkpoint, args.num_stages, args.out)


if __name__ == '__main__':
    run_tool(main)
