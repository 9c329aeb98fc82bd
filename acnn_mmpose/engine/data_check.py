"""Whether the files of a config's data sets are there and go together, before anything starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from ..datasets import leaf_datasets
from ..datasets.mpii import MAX_UNREADABLE
from ..errors import ACNNError, name_first
from ..files import read_json
from ..image_check import glance_at_images
from ..mpii.annotations import check_head_boxes, read_annotations, refuse
from ..mpii.release import NUM_JOINTS
from ..mpii.submission import SubmissionFrame

MPII_DATASETS = ('MpiiDataset', 'MpiiTrainDataset', 'MpiiTestDataset')
PCKH_METRICS = ('MpiiPCKAccuracy', 'MpiiPCKhTable')
LOOK_UP = 'docs/own_data.md shows what it looks like'
COCO_LISTS: dict[str, dict[str, Any]] = {  # of a file in COCO's format, and what entries need
    'images': dict(id=int, file_name=str, width=int, height=int),
    'categories': {},
    'annotations': dict(id=int, image_id=int, category_id=int, bbox=list, keypoints=list),
}
SCORED = dict.fromkeys(('area', 'iscrowd', 'num_keypoints'), (int, float))  # by COCO's metric


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
            f'model.head.out_channels is {outputs}, but {where} has {joints} joints: set it to '
            f'{joints}'
        )
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
    if reads_coco:
        _check_coco(ann_file, _images(dataset), joints, is_scored)
    built = _build(where, dataset)
    with _explained(where):
        built.serialize_data = False  # which fails if there is nobody
        built.full_init()
    if not built.data_list:
        raise ACNNError(
            f'{where} has nobody in {ann_file}: people need a box with an area and a labelled joint'
        )
    for index, person in enumerate(built.data_list):
        problem = _describe(person, joints)
        if problem:
            raise ACNNError(f'{where}: person {index} of {ann_file} {problem}')
    paths = () if reads_coco else sorted({person['img_path'] for person in built.data_list})
    problems = glance_at_images(Path(), paths)
    if problems:
        raise ACNNError(f'{name_first(problems)}: restore it, or take its people out')


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turn whatever a data set's class raises, a reader of somebody's files, into a sentence."""
    try:
        yield
    except ACNNError:
        raise
    except Exception as error:
        raise ACNNError(
            f'{where} can not be read ({error!r}): correct its annotations, metainfo or '
            'arguments, which docs/own_data.md shows'
        ) from error


def _build(where: str, dataset: ConfigDict) -> BaseDataset:
    """Build a data set without reading its annotations."""
    with _explained(where):
        return DATASETS.build({**dataset, 'pipeline': [], 'lazy_init': True})


def _describe(person: dict[str, Any], joints: int) -> str:
    """Say what keeps a person from being used; empty if nothing does."""
    missing = [key for key in ('img_path', 'bbox', 'keypoints') if person.get(key) is None]
    if missing:
        return f'has no {", ".join(missing)}'
    shape = np.shape(person['keypoints'])
    if len(shape) != 3 or shape[1] != joints:
        return f'has keypoints of shape {shape}, but its metainfo has {joints} joints: give all'
    for key in ('bbox', 'keypoints'):
        if not np.isfinite(person[key]).all():
            return f'has a {key} that is not made of finite numbers'
    return ''


def _check_coco(ann_file: Path, image_folder: Path, joints: int, is_scored: bool) -> None:
    """Check annotations, and that the images of people are there; COCO lists others, too."""
    content = read_json(ann_file, LOOK_UP)
    for problem in _coco_problems(content, joints, is_scored):
        raise ACNNError(f'{ann_file}: {problem}; {LOOK_UP}')
    used = {person['image_id'] for person in content['annotations']}
    names = [image['file_name'] for image in content['images'] if image['id'] in used]
    problems = glance_at_images(image_folder, names)
    if problems:
        raise ACNNError(
            f'{name_first(problems)}: restore it, or take it and its people out of {ann_file}'
        )


def _coco_problems(content: Any, joints: int, is_scored: bool) -> Iterator[str]:
    for name, keys in COCO_LISTS.items():
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            yield f'has no list of {name}'
            return
        if not content[name]:
            yield f'its list of {name} is empty'
        keys = {**keys, **SCORED} if is_scored and name == 'annotations' else keys
        ids: set[int] = set()
        for entry in content[name] if keys else ():
            values = entry if isinstance(entry, dict) else {}
            wrong = [key for key, kind in keys.items() if not isinstance(values.get(key), kind)]
            if wrong:
                yield f'an entry of {name} has no valid {", ".join(wrong)}: {str(entry)[:100]}'
                return
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
            values = person[key]
            are_numbers = all(isinstance(value, (int, float)) for value in values)
            if len(values) != length or not are_numbers or not np.isfinite(values).all():
                yield (
                    f'the {key} of annotation {person["id"]} must be {length} numbers ({what}), '
                    f'but is {str(values)[:100]}'
                )


def _annotations(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('ann_file') or '')


def _images(dataset: ConfigDict) -> Path:
    return Path(dataset.get('data_root') or '') / (dataset.get('data_prefix', {}).get('img') or '')
