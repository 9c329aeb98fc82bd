"""Run experiments, see how far they are, and write their report.

    python -m studies.attention run studies/attention/plans/attention.py --seeds 0 --minutes 60
    python -m studies.attention status studies/attention/plans/*.py
    python -m studies.attention report studies/attention/plans/*.py

Stop `run` in any way at any time: the same command goes on. Run it twice beside each other to train
two runs at a time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from acnn_mmpose.errors import run_tool

import torch

from . import describe_progress, load_plan, run_plan, write_report

STUDY = Path(__file__).parent


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('command', choices=['run', 'status', 'report'])
    parser.add_argument('plans', nargs='+', metavar='plan', help='files of studies/attention/plans')
    parser.add_argument('--seeds', nargs='+', type=int, help='only these')
    parser.add_argument('--variants', nargs='+', help='only these')
    parser.add_argument('--minutes', type=float, help="stop after so long, at an epoch's end")
    parser.add_argument('--threads', type=int, default=1, help="torch's")
    parser.add_argument(
        '--work-dir', default='work_dirs/experiments', help='where logs and checkpoints go'
    )
    parser.add_argument(
        '--results',
        default=STUDY / 'results',
        type=Path,
        help='folder of the json lines; a report fills in reproduction.md beside it',
    )
    args = parser.parse_args()
    if args.command == 'report' and (args.seeds or args.variants):
        parser.error('a report is of all seeds and variants')
    if args.threads < 1:
        parser.error(f'--threads must be at least 1, but is {args.threads}')
    return args


def main() -> None:
    """Do what the command says."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    deadline = None if args.minutes is None else time.time() + 60 * args.minutes
    plans = [load_plan(path) for path in args.plans]
    if args.command == 'report':
        write_report(plans, args.results, args.results.parent / 'reproduction.md')
        return
    left = 0
    for plan, runs in [(plan, plan.runs(args.seeds, args.variants)) for plan in plans]:
        results = args.results / f'{plan.name}.jsonl'
        if args.command == 'status':
            print(*describe_progress(plan, runs, args.work_dir, results), sep='\n')
        else:
            left += len(run_plan(plan, runs, args.work_dir, results, deadline))
    if left:
        print(f'{left} runs are not finished: the same command goes on')


if __name__ == '__main__':
    run_tool(main, stopped='stopped; the same command goes on')
