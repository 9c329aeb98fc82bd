r"""Write the training set's people to disk, so that training need not decode photographs.

    python tools/cache_crops.py configs/acnn_phase1.py data/crops
    python tools/train.py configs/acnn_phase1.py --cfg-options \
        train_dataloader.dataset.pipeline.LoadReadableImage.crop_cache=data/crops

For combined data sets: train_dataloader.dataset.datasets.MpiiTrainDataset.pipeline and so on.

Stopped, or photographs and annotations have changed? The same command adds what is missing.
"""

from __future__ import annotations

import argparse

import acnn_mmpose.engine as engine
from acnn_mmpose.datasets import cache_crops
from acnn_mmpose.errors import explained, run_tool

from mmengine.config import DictAction


def main() -> None:
    """Write the crops and say how many there are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='the config to train with')
    parser.add_argument('folder', help='where to write the crops; one folder per data set')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='config overrides'
    )
    with explained('--cfg-options can not be read', 'write them as KEY=VALUE'):
        args = parser.parse_args()
    cfg = engine.load_config(args.config, cfg_options=args.cfg_options)
    engine.check_data(cfg, 'train')
    print(cache_crops(cfg.train_dataloader.dataset, args.folder))


if __name__ == '__main__':
    run_tool(main)
