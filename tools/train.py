"""Train one phase, or several in order.

    python tools/train.py configs/acnn_phase1.py
    python tools/train.py configs/acnn_phase1.py configs/acnn_phase2.py configs/acnn_phase3.py

On several GPUs: tools/dist_train.sh. Stopped? The same command with --resume goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import ACNNError, explained, run_tool

from mmengine.config import DictAction


def parse_args() -> argparse.Namespace:
    """Parse the command line: MMPose's flags, and more than one config."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+', metavar='config', help='config files, in order')
    parser.add_argument(
        '--work-dir', help='where logs and checkpoints go; with several configs its subfolders'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='alone: go on from the latest checkpoint in the work dir, skip finished configs',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: bfloat16, or float16 on a GPU that lacks it',
    )
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate in training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help="scale the learning rate by the batch size over that of the config's (paper: 12)",
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='config overrides'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    with explained('--cfg-options can not be read', 'write them as KEY=VALUE'):
        return parser.parse_args()


def main() -> None:
    """Build the configs and train them."""
    args = parse_args()
    cfgs = []
    for path in args.configs:
        work_dir = args.work_dir
        if work_dir and len(args.configs) > 1:
            work_dir = str(Path(work_dir) / Path(path).stem)
        cfg = engine.load_config(path, work_dir, args.cfg_options)
        if args.no_validate:
            engine.disable_validation(cfg)
        if args.amp:
            engine.enable_amp(cfg)
        if args.auto_scale_lr:
            if not cfg.get('auto_scale_lr'):
                raise ACNNError(f'{path} has no auto_scale_lr: say which batch its rate is for')
            cfg.auto_scale_lr.enable = True
        engine.check_data(cfg, 'train', 'val')
        cfgs.append(cfg)
    for cfg in cfgs:
        engine.set_launcher(cfg, args.launcher, args.local_rank)
    engine.train_in_order(cfgs, args.resume)


if __name__ == '__main__':
    run_tool(main)
    engine.end_process_group()
