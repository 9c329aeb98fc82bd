"""Evaluate a checkpoint.

python tools/test.py configs/acnn_phase3.py work_dirs/acnn_phase3/epoch_100.pth
"""

from __future__ import annotations

import argparse
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import ACNNError, explained, run_tool
from acnn_mmpose.files import make_folder, write_whole

import mmengine
from mmengine.config import DictAction
from mmengine.dist import is_main_process
from mmengine.runner import Runner


def parse_args() -> argparse.Namespace:
    """Parse the command line: MMPose's flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='where logs go')
    parser.add_argument('--out', help='write the metrics to this json file')
    parser.add_argument('--dump', help='write the predictions to this npz file')
    parser.add_argument(
        '--submission',
        metavar='DIR',
        help="predict MPII's test set instead, and write the benchmark's submission to this folder",
    )
    parser.add_argument(
        '--deploy', choices=['float32', 'bfloat16'], help='test the deployed network, in this dtype'
    )
    parser.add_argument('--show-dir', help='write pictures of the predictions to this folder')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='config overrides'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    with explained('--cfg-options can not be read', 'write them as KEY=VALUE'):
        return parser.parse_args()


def main() -> None:
    """Build the runner and test."""
    args = parse_args()
    if args.out and not args.out.endswith('.json'):
        raise ACNNError(f'--out writes json: {args.out} must end in .json')
    if args.out:
        make_folder(Path(args.out).parent, 'the folder of --out')
    cfg = engine.load_config(args.config, args.work_dir, args.cfg_options)
    if args.submission:
        engine.use_test_set(cfg, args.submission)
    engine.check_data(cfg, 'test')
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.dump:
        engine.dump_predictions(cfg, args.dump)
    if args.deploy:
        cfg.default_hooks.deploy = dict(type='DeployHook', dtype=args.deploy)
    if args.show_dir:
        engine.show_predictions(cfg, args.show_dir)
    make_folder(cfg.work_dir, 'the work dir', 'choose another --work-dir')
    engine.set_launcher(cfg, args.launcher, args.local_rank)
    runner = Runner.from_cfg(cfg)
    with engine.explain_worker_errors():
        metrics = runner.test()
    if args.out and is_main_process():
        write_whole(args.out, mmengine.dump(metrics, file_format='json'))


if __name__ == '__main__':
    run_tool(main)
    engine.end_process_group()
