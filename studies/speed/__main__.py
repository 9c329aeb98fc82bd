"""Measure how fast and how large the network is on this machine, beside others.

python -m studies.speed                              # all; over ten minutes on two CPU cores
python -m studies.speed --only forward --batch-sizes 1
python -m studies.speed --device cuda:0 --json gpu.json

Everything in a table is measured in turn in one run: compare the ratios, which a busy machine
changes less than the milliseconds. A table is printed when it is finished, or cut off by Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import run_tool
from acnn_mmpose.files import make_folder, write_whole

from . import GROUPS, describe_machine, make_setup, run_benchmark, to_json, to_text

CONFIG = Path(__file__).parents[2] / 'configs/acnn_phase3.py'


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', default=str(CONFIG), help='default: acnn_phase3.py')
    parser.add_argument(
        '--only', nargs='+', choices=list(GROUPS), default=list(GROUPS), help='what to measure'
    )
    parser.add_argument('--device', default='cpu', help='for example cuda:0')
    parser.add_argument('--batch-sizes', nargs='+', type=int, default=[1, 8], help='of forward')
    parser.add_argument(
        '--seconds', type=float, default=20, help='per table, at least 3 rounds; default 20'
    )
    parser.add_argument('--json', metavar='FILE', help='write the figures for scripts, too')
    return parser.parse_args()


def main() -> None:
    """Measure and report."""
    args = parse_args()
    cfg = engine.load_config(args.config)
    if args.json:
        make_folder(Path(args.json).parent, 'the folder of --json')
    with tempfile.TemporaryDirectory() as folder:
        setup = make_setup(cfg, args.device, args.batch_sizes, folder)
        print(describe_machine(args.device))
        tables = []
        for table in run_benchmark(setup, args.only, args.seconds):
            tables.append(table)
            print('', to_text(table), sep='\n', flush=True)
            if args.json:
                write_whole(args.json, json.dumps(to_json(tables, args.device)))


if __name__ == '__main__':
    run_tool(main)
