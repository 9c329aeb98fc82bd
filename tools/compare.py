"""Print one table of the last evaluations of several runs.

python tools/compare.py work_dirs/acnn_phase1 work_dirs/acnn_phase2 work_dirs/acnn_phase3
"""

from __future__ import annotations

import argparse
from pathlib import Path

from acnn_mmpose.errors import run_tool
from acnn_mmpose.evaluation import compare_runs, format_text, save_table


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dirs', nargs='+', help='folders of runs')
    parser.add_argument('--out', help='write the table to this name with .json and .md, too')
    return parser.parse_args()


def main() -> None:
    """Collect, print, save."""
    args = parse_args()
    rows = compare_runs(args.work_dirs)
    if args.out:
        save_table(rows, Path(args.out))
    print(format_text(rows))


if __name__ == '__main__':
    run_tool(main)
