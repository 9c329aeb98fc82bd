"""Whether the files of a config's data sets are there and go together, before anything starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..datasets import leaf_datasets
from ..datasets.mpii_train import MAX_UNREADABLE
from ..errors import ACNNError
from ..image_check import glance_at_images
from ..mpii.annotations import read_annotations, refuse
from ..mpii.head_boxes import check_head_boxes
from ..mpii.release import NUM_JOINTS
from ..mpii.submission_frame import SubmissionFrame
from .people_check import check_joints, check_people

MPII_DATASETS = ('MpiiDataset', 'MpiiTrainDataset', 'MpiiTestDataset')
PCKH_METRICS = ('MpiiPCKAccuracy', 'MpiiPCKhTable')


def check_data(cfg: Config, *splits: str) -> None:
    """Check the data sets that a run will read.

    All files must exist. Joints must be as many as the network's. Annotations in MPII's format must
    be whole: people with 16 joints, head boxes row by row of the same people; what data sets of
    other classes read must have boxes, joints and images. Of the images, those for training may
    lack ``max_unreadable`` in :class:`MpiiTrainDataset`, and none elsewhere; all others are looked
    at, but not decoded (:func:`check_mpii` does that).

    Args:
        cfg: The config.
        *splits: ``'train'``, ``'val'``, ``'test'``: the data loaders to check, where set.

    Raises:
        ACNNError: Naming the first thing that is wrong, and what to do.
    """
    datasets = [
        (split, dataset)
        for split in splits
        for dataset in leaf_datasets((cfg.get(f'{split}_dataloader') or {}).get('dataset'))
        if dataset
    ]
    for split, dataset in datasets:
        _check_files(split, dataset)
    for split, dataset in datasets:
        where = f'{split}_dataloader.dataset'
        joints = check_joints(cfg, where, dataset)
        if dataset.type in MPII_DATASETS:
            if joints != NUM_JOINTS:
                raise ACNNError(
                    f'the metainfo of {where} has {joints} joints, but people in MPII have '
                    f'{NUM_JOINTS}: correct it'
                )
            entries = _check_mpii(dataset)
            for metric in _metrics(cfg, split):
                _check_metric(metric, split, dataset, entries)
        elif dataset.get('data_mode', 'topdown') == 'topdown':
            _check_scored_file(cfg, split, dataset)
            is_scored = dataset.type == 'CocoDataset' and split != 'train'
            files = _annotations(dataset), _images(dataset)
            check_people(where, dataset, joints, *files, is_scored)


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
                'the environment variable ACNN_DATA_ROOT, or what else this data set takes its '
                'data_root from, to the folder of the data'
            )


def _check_metric(
    metric: ConfigDict, split: str, dataset: ConfigDict, entries: list[dict[str, Any]]
) -> None:
    """Refuse what MMPose misses only after a whole epoch, and poses under wrong images."""
    if metric.type in PCKH_METRICS and not dataset.get('headbox_file'):
        raise ACNNError(
            f'{metric.type} needs the size of heads: set '
            f'{split}_dataloader.dataset.headbox_file to the path of mpii_gt_val.mat'
        )
    if metric.type == 'MpiiSubmission':
        SubmissionFrame(metric.annolist_file).check(entries)


def _check_scored_file(cfg: Config, split: str, dataset: ConfigDict) -> None:
    """Refuse a metric that compares predictions with the people of another file."""
    for metric in _metrics(cfg, split):
        file = metric.get('ann_file')
        if file is not None and Path(file).resolve() != _annotations(dataset).resolve():
            raise ACNNError(
                f'{split}_evaluator.ann_file is {file}, but the people predicted are those of '
                f'{_annotations(dataset)}: set it to that'
            )


def _metrics(cfg: Config, split: str) -> list[ConfigDict]:
    metrics = cfg.get(f'{split}_evaluator') or []
    return list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]


def _check_mpii(dataset: ConfigDict) -> list[dict[str, Any]]:
    """Check annotations, head boxes and images of one of MPII's sets; return its people."""
    has_joints = dataset.type != 'MpiiTestDataset'
    entries = read_annotations(_annotations(dataset), has_joints)
    if dataset.get('headbox_file'):
        check_head_boxes(dataset.headbox_file, entries)
    _check_images(dataset, sorted({entry['image'] for entry in entries}))
    return entries


def _check_images(dataset: ConfigDict, names: list[str]) -> None:
    """Refuse missing images, and for evaluation also such as look damaged."""
    folder = _images(dataset)
    if dataset.type == 'MpiiTrainDataset':
        there = set(os.listdir(folder))
        problems = [f'{folder / name} is missing' for name in names if name not in there]
        if len(problems) <= dataset.get('max_unreadable', MAX_UNREADABLE):
            return  # named in the log where training meets them
    else:
        problems = glance_at_images(folder, names)
    refuse(problems)


def _annotations(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('ann_file') or '')


def _images(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('data_prefix', {}).get('img') or '')
