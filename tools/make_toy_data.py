"""Makes the toy data set: drawn people over clutter, in the layout of MPII."""

from __future__ import annotations

import argparse
import sys

from acnn_mmpose.datasets.toy import make_toy_dataset
from acnn_mmpose.errors import ACNNError


def main() -> None:
    """Runs the command line tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', help='folder to write the data set to')
    parser.add_argument('--num-train', type=int, default=1500, help='number of training images')
    parser.add_argument('--num-val', type=int, default=300, help='number of validation images')
    parser.add_argument('--seed', type=int, default=0, help='seed of all randomness')
    args = parser.parse_args()
    try:
        make_toy_dataset(args.root, args.num_train, args.num_val, args.seed)
    except ACNNError as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
