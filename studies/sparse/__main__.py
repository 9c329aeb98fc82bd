r"""Measure what sparse stages save, and what they cost.

python -m studies.sparse                       # full size, random weights, masks that are forced
python -m studies.sparse --out work_dirs/sparse \
    --network control configs/reference/acnn_reference_phase1b.py control.pth \
    --network sparse studies/sparse/configs/acnn_phase3.py seed0.pth seed1.pth seed2.pth

With trained networks: PCKh@0.5 and time per validation person, of each network whole and stopped
after each stage but the first, with its own masks and the config's flip test. The first network is
1.00x; everything in a table is measured in turn in one run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.engine.prediction import check_device
from acnn_mmpose.errors import ACNNError, run_tool
from acnn_mmpose.files import make_folder, write_whole
from acnn_mmpose.visualization.plots import save_figure
from studies.speed import (
    Table,
    describe_machine,
    is_fast_in_bfloat16,
    make_setup,
    measure_tables,
    to_json,
    to_text,
)

import torch
from mmengine.registry import init_default_scope

from .figure import plot_networks
from .forced import compare_shares
from .trained import Network, compare_trained

CONFIG = Path(__file__).parents[2] / 'configs/acnn_phase3.py'


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--network',
        nargs='+',
        action='append',
        default=[],
        metavar=('NAME', 'CONFIG'),
        help='a name, a config, and weights, a file per seed; may be repeated',
    )
    parser.add_argument('--device', default='cpu', help='for example cuda:0')
    parser.add_argument('--batch-sizes', nargs='+', type=int, default=[1, 16])
    parser.add_argument('--seconds', type=float, default=20, help='per table; at least 3 rounds')
    parser.add_argument('--out', help='folder for tables, figures and json')
    return parser.parse_args()


def main() -> None:
    """Measure and report."""
    args = parse_args()
    check_device(args.device)
    init_default_scope('mmpose')
    if min(args.batch_sizes) < 1:
        raise ACNNError(f'a batch needs at least 1 image, not {min(args.batch_sizes)}')
    networks = [read_network(*words) for words in args.network]
    out = make_folder(args.out, 'the folder of --out') if args.out else None
    print(describe_machine(args.device))
    tables: list[Table] = []
    with tempfile.TemporaryDirectory() as folder:
        for table in measure_tables(list_tables(args, networks, folder), args.seconds):
            tables.append(table)
            print('', to_text(table), sep='\n', flush=True)
            if out:
                write_whole(out / 'tables.txt', '\n\n'.join(map(to_text, tables)) + '\n')
                write_whole(out / 'tables.json', json.dumps(to_json(tables, args.device)))
                if networks:
                    path = out / f'pckh_against_time{len(tables)}.png'
                    save_figure(plot_networks(networks, table), path, 110)


def read_network(name: str, config: str = '', *checkpoints: str) -> Network:
    """Read what an option ``--network`` says."""
    if not checkpoints:
        raise ACNNError(f'--network {name} needs a config and at least one file of weights')
    for file in checkpoints:
        if not Path(file).is_file():
            raise ACNNError(f'checkpoint {file} of --network {name} does not exist')
    return Network(name, engine.load_config(config), checkpoints)


def list_tables(args: argparse.Namespace, networks: list[Network], folder: str) -> Iterator[Table]:
    """Say what to measure, in both precisions where the lower one is fast."""
    dtypes = [torch.float32, torch.bfloat16][: 1 + is_fast_in_bfloat16(args.device)]
    for dtype in dtypes:
        for size in args.batch_sizes:
            if networks:
                yield compare_trained(networks, args.device, size, dtype)
            else:
                cfg = engine.load_config(str(CONFIG))
                setup = make_setup(cfg, args.device, args.batch_sizes, folder)
                yield compare_shares(setup, size, dtype)


if __name__ == '__main__':
    run_tool(main)
