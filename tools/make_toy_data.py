"""Make the toy data set: drawn people over clutter, in the layout of MPII.

python tools/make_toy_data.py data/toy
"""

from __future__ import annotations

import argparse

from acnn_mmpose.errors import run_tool
from acnn_mmpose.toy.dataset import make_toy_dataset


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('root', help='folder to write the data set to')
    parser.add_argument('--num-train', type=int, default=1000, help='number of training images')
    parser.add_argument('--num-val', type=int, default=250, help='number of validation images')
    parser.add_argument('--seed', type=int, default=0, help='seed of all randomness')
    args = parser.parse_args()
    make_toy_dataset(args.root, args.num_train, args.num_val, args.seed)


if __name__ == '__main__':
    run_tool(main)
