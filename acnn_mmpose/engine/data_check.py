"""Whether the files of a config's data sets are there and go together, before anything starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from ..datasets import leaf_datasets
from ..datasets.mpii import MAX_UNREADABLE
from ..errors import ACNNError, explained, name_first
from ..files import read_json
from ..image_check import glance_at_images
from ..mpii.annotations import check_head_boxes, read_annotations, refuse
from ..mpii.release import NUM_JOINTS
from ..mpii.submission import SubmissionFrame

MPII_DATASETS = ('MpiiDataset', 'MpiiTrainDataset', 'MpiiTestDataset')
PCKH_METRICS = ('MpiiPCKAccuracy', 'MpiiPCKhTable')
LOOK_UP = 'docs/own_data.md shows what it looks like'
COCO_KEYS = {  # of a file in COCO's format, and what entries need
    'images': ('id', 'file_name', 'width', 'height'),
    'categories': ('id',),
    'annotations': ('id', 'image_id', 'category_id', 'bbox', 'keypoints'),
}
SCORED = ('area', 'iscrowd', 'num_keypoints')  # what COCO's metric reads of annotations, too


def check_data(cfg: Config, *splits: str) -> None:
    """Check the data sets that a run will read; raise ACNNError for the first thing that is wrong.

    All files must exist. Joints must be as many as the network's. Annotations in MPII's format must
    be whole: people with 16 joints, head boxes row by row of the same people; what data sets of
    other classes read must have boxes, joints and images. Of the images, those for training may
    lack ``max_unreadable`` in :class:`MpiiTrainDataset`, and none elsewhere; all others are looked
    at, but not decoded (:func:`check_mpii` does that).

    Args:
        cfg: The config.
        *splits: ``'train'``, ``'val'``, ``'test'``: the data loaders to check, where set.
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
        metrics = cfg.get(f'{split}_evaluator') or []
        metrics = [*metrics] if isinstance(metrics, (list, tuple)) else [metrics]
        joints = _check_joints(cfg, where, dataset)
        if dataset.type in MPII_DATASETS:
            if joints != NUM_JOINTS:
                raise ACNNError(
                    f'the metainfo of {where} has {joints} joints, but people in MPII have '
                    f'{NUM_JOINTS}: correct it'
                )
            _check_mpii(where, dataset, metrics)
        elif dataset.get('data_mode', 'topdown') == 'topdown':
            for file in [metric['ann_file'] for metric in metrics if metric.get('ann_file')]:
                if Path(file).resolve() != _annotations(dataset).resolve():
                    raise ACNNError(
                        f'{split}_evaluator.ann_file is {file}, but the people predicted are those '
                        f'of {_annotations(dataset)}: set it to that'
                    )
            is_scored = dataset.type == 'CocoDataset' and split != 'train'
            _check_people(where, dataset, joints, is_scored)


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


def _check_joints(cfg: Config, where: str, dataset: ConfigDict) -> int:
    """Check that network, joints and their mirror images go together; return how many they are."""
    metainfo = _build(where, dataset).metainfo
    if 'num_keypoints' not in metainfo:
        raise ACNNError(f'{where} does not say what its joints are: give it metainfo')
    joints, mirrored = metainfo['num_keypoints'], metainfo['flip_indices']
    outputs = (cfg.model.get('head') or {}).get('out_channels', joints)
    converted = any(step.get('type') == 'KeypointConverter' for step in dataset.get('pipeline', ()))
    if outputs != joints and not converted:
        raise ACNNError(
            f'{where} has {joints} joints, model.head.out_channels is {outputs}: set it to {joints}'
        )
    if len(metainfo['sigmas']) != joints:  # which COCO's metric misses only after a whole epoch
        raise ACNNError(f'{where} has {joints} joints: give its metainfo as many sigmas')
    if [mirrored[joint] for joint in mirrored] != list(range(joints)):
        raise ACNNError(
            f'the flip indices of {where}, {mirrored}, are no pairs of joints: let each swap of '
            'its metainfo name the joint that names it, or none'
        )
    return joints


def _check_mpii(where: str, dataset: ConfigDict, metrics: list[ConfigDict]) -> None:
    """Check annotations, head boxes and images of one of MPII's sets, and what scores it."""
    entries = read_annotations(_annotations(dataset), dataset.type != 'MpiiTestDataset')
    if dataset.get('headbox_file'):
        check_head_boxes(dataset.headbox_file, entries)
    folder, names = _images(dataset), sorted({entry['image'] for entry in entries})
    if dataset.type == 'MpiiTrainDataset':
        there = set(os.listdir(folder))
        problems = [f'{folder / name} is missing' for name in names if name not in there]
        if len(problems) <= dataset.get('max_unreadable', MAX_UNREADABLE):
            problems = []  # named in the log where training meets them
    else:
        problems = glance_at_images(folder, names)
    refuse(problems)
    for metric in metrics:
        if metric.type in PCKH_METRICS and not dataset.get('headbox_file'):
            raise ACNNError(  # which MMPose misses only after a whole epoch
                f'{metric.type} needs the size of heads: set {where}.headbox_file to the path of '
                'mpii_gt_val.mat'
            )
        if metric.type == 'MpiiSubmission':
            SubmissionFrame(metric.annolist_file).check(entries)


def _check_people(where: str, dataset: ConfigDict, joints: int, is_scored: bool) -> None:
    """Check everybody in a data set of any class but MPII's, as the class sees them."""
    ann_file, reader = _annotations(dataset), DATASETS.get(dataset.type)
    reads_coco = not dataset.get('bbox_file') and all(
        getattr(reader, name, None) is getattr(BaseCocoStyleDataset, name)
        for name in ('_load_annotations', 'parse_data_info')
    )
    built = _build(where, dataset)
    with _explained(where):
        for problem in _coco_problems(ann_file, joints, is_scored) if reads_coco else ():
            raise ACNNError(f'{ann_file}: {problem}; {LOOK_UP}')
        built.serialize_data = False  # which fails if there is nobody
        built.full_init()
        for index, person in enumerate(built.data_list):
            for problem in _person_problems(person, joints):
                raise ACNNError(f'{where}: person {index} of {ann_file} {problem}')
    if not built.data_list:
        raise ACNNError(
            f'{where} has nobody in {ann_file}: people need a box with an area and a labelled joint'
        )
    if problems := glance_at_images(Path(), sorted({one['img_path'] for one in built.data_list})):
        raise ACNNError(f'{name_first(problems)}: restore it, or take its people out of {ann_file}')


def _explained(where: str) -> AbstractContextManager:
    """Explain whatever a data set's class raises, a reader of somebody's files."""
    return explained(
        f'{where} can not be read', f'correct its annotations, metainfo or arguments; {LOOK_UP}'
    )


def _build(where: str, dataset: ConfigDict) -> BaseDataset:
    """Build a data set without reading its annotations."""
    with _explained(where):
        return DATASETS.build({**dataset, 'pipeline': [], 'lazy_init': True})


def _person_problems(person: dict[str, Any], joints: int) -> Iterator[str]:
    """Yield what keeps a person from being used."""
    for key in ('img_path', 'bbox', 'keypoints'):
        if person.get(key) is None:
            yield f'has no {key}'
    shape = np.shape(person['keypoints'])
    if len(shape) != 3 or shape[1] != joints:
        yield f'has keypoints of shape {shape}, but its metainfo has {joints} joints: give all'
    for key in ('bbox', 'keypoints'):
        if not np.isfinite(person[key]).all():
            yield f'has a {key} that is not made of finite numbers'


def _coco_problems(ann_file: Path, joints: int, is_scored: bool) -> Iterator[str]:
    """Yield what is wrong with a file in COCO's format, of which MMPose passes over much."""
    content = read_json(ann_file, LOOK_UP)
    for name, keys in COCO_KEYS.items():
        if not content.get(name):
            yield f'has no list of {name}, or an empty one'
        keys += SCORED if is_scored and name == 'annotations' else ()
        ids = set()
        for entry in content[name]:
            missing = [key for key in keys if entry.get(key) is None]
            if missing:
                yield f'an entry of {name} has no {", ".join(missing)}: {str(entry)[:100]}'
            if entry['id'] in ids:
                yield f'two entries of {name} have the id {entry["id"]}'
            ids.add(entry['id'])
    images = {image['id'] for image in content['images']}
    for person in content['annotations']:
        if person['image_id'] not in images:
            yield f'annotation {person["id"]} is of image {person["image_id"]}, which is not listed'
        for key, length, what in (
            ('bbox', 4, 'x, y, width, height'),
            ('keypoints', 3 * joints, f'x, y, v for each of {joints} joints'),
        ):
            if np.shape(person[key]) != (length,) or not np.isfinite(person[key]).all():
                yield (
                    f'the {key} of annotation {person["id"]} must be {length} numbers ({what}), '
                    f'but is {str(person[key])[:100]}'
                )


def _annotations(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('ann_file') or '')


def _images(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('data_prefix', {}).get('img') or '')
