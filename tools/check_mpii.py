"""Check an MPII data root: annotations, head boxes and every image.

python tools/check_mpii.py data/mpii
"""

from __future__ import annotations

import argparse
import sys

from acnn_mmpose.errors import run_tool
from acnn_mmpose.mpii import check_mpii


def main() -> None:
    """Print every problem; exit with status 1 if there is any."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data_root', help='folder with annotations/ and images/')
    args = parser.parse_args()
    problems = check_mpii(args.data_root)
    print('\n'.join([*problems, f'{len(problems)} problem(s) in {args.data_root}']))
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    run_tool(main)
