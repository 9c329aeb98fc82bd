"""Predict MPII's test set and write the benchmark's submission.

python tools/predict_test.py configs/acnn_phase3.py work_dirs/acnn_phase3/epoch_100.pth submission
"""

from __future__ import annotations

import argparse
import os

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import run_tool

from mmengine.config import DictAction
from mmengine.runner import Runner


def parse_args() -> argparse.Namespace:
    """Parse the command line: as that of test.py."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out_dir', help='folder for pred_keypoints_mpii.mat and .json')
    parser.add_argument('--work-dir', help='where logs go')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='config overrides'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main() -> None:
    """Build the runner and predict."""
    args = parse_args()
    cfg = engine.load_config(args.config, args.work_dir, args.cfg_options)
    engine.use_test_set(cfg, args.out_dir)
    engine.check_data(cfg, 'test')
    engine.set_checkpoint(cfg, args.checkpoint)
    engine.set_launcher(cfg, args.launcher)
    Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    run_tool(main)
