"""Whether what a data set's class makes of its annotations can be trained on or scored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from ..errors import ACNNError, name_first
from ..image_check import glance_at_images
from .coco_check import check_coco


def check_joints(cfg: Config, where: str, dataset: ConfigDict) -> int:
    """Check that network, joints and their mirror images go together, without annotations.

    Args:
        cfg: The config.
        where: The data set's place in it, for messages.
        dataset: Config of a data set that is no wrapper.

    Returns:
        The number of the data set's joints.

    Raises:
        ACNNError: Naming what does not fit.
    """
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


def check_people(
    where: str,
    dataset: ConfigDict,
    joints: int,
    ann_file: Path,
    image_folder: Path,
    is_scored: bool,
) -> None:
    """Check everybody in a data set of any class but MPII's: boxes, joints, images.

    Args:
        where: The data set's place in the config, for messages.
        dataset: The data set's config.
        joints: As many as everybody must have.
        ann_file: Its annotations.
        image_folder: Where its images lie.
        is_scored: Whether COCO's metric will read the annotations, too.

    Raises:
        ACNNError: Naming the first thing that is wrong.
    """
    in_coco_format = _reads_coco(dataset)
    if in_coco_format:
        check_coco(ann_file, image_folder, joints, is_scored)
    people = _read(where, dataset)
    if not people:
        raise ACNNError(
            f'{where} has nobody in {ann_file}: people need a box with an area and a labelled joint'
        )
    for index, person in enumerate(people):
        problem = _describe(person, joints)
        if problem:
            raise ACNNError(f'{where}: person {index} of {ann_file} {problem}')
    if not in_coco_format:
        _check_images(sorted({person['img_path'] for person in people}))


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


def _read(where: str, dataset: ConfigDict) -> list[dict[str, Any]]:
    """List a data set's people as its class sees them."""
    built = _build(where, dataset)
    with _explained(where):
        built.serialize_data = False  # which fails if there is nobody
        built.full_init()
    return built.data_list


def _reads_coco(dataset: ConfigDict) -> bool:
    """Whether a data set's class reads annotations as MMPose's for COCO does."""
    reader = DATASETS.get(dataset.type)
    return not dataset.get('bbox_file') and all(
        getattr(reader, name, None) is getattr(BaseCocoStyleDataset, name)
        for name in ('_load_annotations', 'parse_data_info')
    )


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


def _check_images(paths: list[str]) -> None:
    problems = glance_at_images(Path(), paths)
    if problems:
        raise ACNNError(f'{name_first(problems)}: restore it, or take its people out')
