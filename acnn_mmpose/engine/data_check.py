"""Whether the files of a config's data sets are there and go together, before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.config import Config, ConfigDict

from ..datasets import inner_datasets
from ..errors import ACNNError
from ..image_check import glance_at_images
from ..mpii.annotations import read_annotations, refuse
from ..mpii.head_boxes import check_head_boxes
from ..mpii.release import NUM_JOINTS

MPII_DATASETS = ('MpiiDataset', 'MpiiTrainDataset', 'MpiiTestDataset')
PCKH_METRICS = ('MpiiPCKAccuracy', 'MpiiPCKhTable')


def check_data(cfg: Config, *splits: str) -> None:
    """Check the data sets that a run will read.

    All files must exist. Annotations in MPII's format must be whole: people with 16 joints, head
    boxes row by row of the same people. Of the images, those for training may lack
    ``max_unreadable``; those for evaluation are looked at, but not decoded (:func:`check_mpii`
    does that).

    Args:
        cfg: The config.
        *splits: ``'train'``, ``'val'``, ``'test'``: the data loaders to check, where set.

    Raises:
        ACNNError: Naming the first thing that is wrong, and what to do.
    """
    datasets = [
        (split, dataset)
        for split in splits
        for dataset in inner_datasets((cfg.get(f'{split}_dataloader') or {}).get('dataset'))
        if 'ann_file' in (dataset or {})
    ]
    for split, dataset in datasets:
        _check_files(split, dataset)
    for split, dataset in datasets:
        if dataset.type in MPII_DATASETS:
            _check_joints(cfg)
            _check_metric(cfg, split, dataset)
            _check_mpii(dataset)


def _check_files(split: str, dataset: ConfigDict) -> None:
    needed = [_annotations(dataset), _images(dataset)]
    if dataset.get('headbox_file'):
        needed.append(Path(dataset.headbox_file))  # MMPose does not join it with data_root
    for path in needed:
        if not path.exists():
            remedy = (
                'make it with tools/convert_mpii.py'
                if dataset.type == 'MpiiTestDataset'
                else 'put the data there (toy data: python tools/make_toy_data.py data/toy)'
            )
            raise ACNNError(
                f'the {split} data set needs {path}, which does not exist: {remedy}, or set '
                'the environment variable ACNN_DATA_ROOT to the folder of the data'
            )


def _check_joints(cfg: Config) -> None:
    joints = cfg.model.head.get('out_channels')
    if joints is not None and joints != NUM_JOINTS:
        raise ACNNError(
            f'model.head.out_channels is {joints}, but people in MPII have {NUM_JOINTS} joints: '
            f'set it to {NUM_JOINTS}'
        )


def _check_metric(cfg: Config, split: str, dataset: ConfigDict) -> None:
    """Refuse PCKh without head boxes, which MMPose misses only after a whole epoch."""
    metrics = cfg.get(f'{split}_evaluator') or []
    for metric in metrics if isinstance(metrics, (list, tuple)) else [metrics]:
        if metric.type in PCKH_METRICS and not dataset.get('headbox_file'):
            raise ACNNError(
                f'{metric.type} needs the size of heads: set '
                f'{split}_dataloader.dataset.headbox_file to the path of mpii_gt_val.mat'
            )


def _check_mpii(dataset: ConfigDict) -> None:
    """Check annotations, head boxes and images of one of MPII's sets."""
    has_joints = dataset.type != 'MpiiTestDataset'
    entries = read_annotations(_annotations(dataset), has_joints)
    if dataset.get('headbox_file'):
        check_head_boxes(dataset.headbox_file, entries)
    _check_images(dataset, sorted({entry['image'] for entry in entries}))


def _check_images(dataset: ConfigDict, names: list[str]) -> None:
    """Refuse missing images, and for evaluation also such as look damaged."""
    folder = _images(dataset)
    if dataset.type == 'MpiiTrainDataset':
        there = set(os.listdir(folder))
        problems = [f'{folder / name} is missing' for name in names if name not in there]
        if len(problems) <= dataset.get('max_unreadable', 0):
            return  # named in the log where training meets them
    else:
        problems = glance_at_images(folder, names)
    refuse(problems)


def _annotations(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('ann_file') or '')


def _images(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('data_prefix', {}).get('img') or '')
