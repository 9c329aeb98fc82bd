"""Evaluate a file of predictions for MPII's validation set.

python tools/eval_predictions.py preds.mat --base 1

The people are those of mpii_val.json, in its order. What test.py --dump writes has --base 0.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from acnn_mmpose.errors import run_tool
from acnn_mmpose.evaluation import evaluate_file, format_text, published_rows, save_table


def main() -> None:
    """Evaluate and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('predictions', help='.mat, .json, or the .npz of test.py --dump')
    parser.add_argument(
        '--base',
        type=int,
        choices=[0, 1],
        required=True,
        help='the upper left pixel: 0 (MMPose, Python) or 1 (MPII, MATLAB)',
    )
    annotations = Path(os.environ.get('ACNN_DATA_ROOT', 'data/mpii')) / 'annotations'
    parser.add_argument('--ann-file', default=annotations / 'mpii_val.json')
    parser.add_argument('--headbox-file', default=annotations / 'mpii_gt_val.mat')
    parser.add_argument('--published', action='store_true', help="add the paper's Table 1")
    parser.add_argument('--out', help='save the table as OUT.json and OUT.md')
    args = parser.parse_args()
    rows, (x, y) = evaluate_file(args.predictions, args.base, args.ann_file, args.headbox_file)
    if args.published:
        rows += published_rows()
    print(f'{args.predictions}, read as {args.base}-based coordinates')
    print(f'median offset from the labels: x {x:+.3f} px, y {y:+.3f} px')
    print(format_text(rows))
    if args.out:
        save_table(rows, Path(args.out))


if __name__ == '__main__':
    run_tool(main)
