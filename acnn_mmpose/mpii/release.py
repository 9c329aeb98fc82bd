"""Reading MPII's official annotation file into plain records.

``mpii_human_pose_v1_u12_1.mat`` holds one struct, RELEASE, that is ragged: a field can be absent in
one image and present in the next, present but empty, a struct array or a cell of structs, a number
or a string. Everything of that ends here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import ACNNError
from .mat_file import load_mat

NUM_JOINTS = 16


class Person(NamedTuple):
    """One rectangle, ``annorect(j)``; pixels, counted from 1, float64, NaN where absent."""

    image: str
    joints: np.ndarray  # (16, 2) by joint id
    center: np.ndarray  # (2,), objpos
    scale: float  # height over 200 px
    head_box: np.ndarray  # (2, 2), (x1, y1) and (x2, y2)
    odd_points: int = 0  # left out: no coordinates, or no id of their own from 0 to 15


class Image(NamedTuple):
    """One image, ``annolist(i)``."""

    is_train: bool  # img_train(i); the joints of test images are withheld
    people: list[Person]
    single_person: list[int]  # the rectangles, counted from 1, that the benchmark scores


def read_release(path: str | Path) -> tuple[list[Image], np.ndarray]:
    """Read the official annotation file, ``mpii_human_pose_v1_u12_1.mat``.

    Returns:
        Its images in their order, and ``annolist(img_train == 0)`` as scipy reads it, (1, n), which
        a submission fills in.

    Raises:
        ACNNError: If the file is missing, is no .mat file, or is not laid out as RELEASE.
    """
    (release, *_) = records(*load_mat(path, 'RELEASE')) or [{}]
    for name in ('annolist', 'img_train', 'single_person'):
        if name not in release:
            raise ACNNError(
                f'{path} has no RELEASE.{name}: give mpii_human_pose_v1_u12_1.mat from '
                "MPII's annotation download"
            )
    annolist = records(release['annolist'])
    img_train, single_person = np.ravel(release['img_train']), np.ravel(release['single_person'])
    if not len(annolist) == len(img_train) == len(single_person):
        raise ACNNError(
            f'{path} is not the official file: annolist has {len(annolist)} images, img_train '
            f'{len(img_train)} and single_person {len(single_person)}, which must be equal'
        )
    if not np.isin(img_train, (0, 1)).all():
        raise ACNNError(f'{path} is not the official file: img_train has values other than 0 and 1')
    images = []
    for record, is_train, single in zip(annolist, img_train, single_person):
        scored = [int(number) for number in map(_number, np.ravel(single)) if number >= 1]
        images.append(Image(bool(is_train), read_people(record), scored))
    test_records = [record for record, is_train in zip(annolist, img_train) if not is_train]
    return images, struct_array(test_records)


def records(value: Any) -> list[dict[str, Any]]:
    """List the elements of a struct array, or of a cell of structs; none if the field is empty."""
    if not isinstance(value, np.ndarray):
        return []
    if value.dtype.names:
        return [dict(zip(value.dtype.names, fields)) for fields in value.ravel().tolist()]
    if value.dtype == object:
        return [record for item in value.ravel() for record in records(item)]
    return []


def struct_array(elements: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Build a MATLAB struct array (1, n) that scipy can save; without elements (0, 0), as [].

    Args:
        elements: The fields of each element; what one element lacks is empty there.
    """
    if not elements:
        return np.empty((0, 0))
    names = dict.fromkeys(name for element in elements for name in element)
    array = np.empty((1, len(elements)), dtype=[(name, object) for name in names])
    for name in names:
        for index, element in enumerate(elements):
            array[name][0, index] = element.get(name, np.empty((0, 0)))
    return array


def image_name(record: Mapping[str, Any]) -> str:
    """Return the file name of an image, ``annolist(i)``; empty if it has none."""
    names = [np.ravel(image.get('name', ())) for image in records(record.get('image'))]
    return str(names[0][0]) if names and names[0].size else ''


def read_people(record: Mapping[str, Any]) -> list[Person]:
    """Read the rectangles of an image, ``annolist(i)``."""
    name = image_name(record)
    return [_read_person(rect, name) for rect in records(record.get('annorect'))]


def _read_person(rect: Mapping[str, Any], image: str) -> Person:
    joints, odd_points = np.full((NUM_JOINTS, 2), np.nan), 0
    for annopoints in records(rect.get('annopoints')):
        for point in records(annopoints.get('point')):
            joint_id, *position = (_number(point.get(name)) for name in ('id', 'x', 'y'))
            is_new = joint_id in range(NUM_JOINTS) and np.isnan(joints[int(joint_id), 0])
            if is_new and np.isfinite(position).all():  # the first one of an id counts
                joints[int(joint_id)] = position
            else:
                odd_points += 1
    (objpos, *_) = records(rect.get('objpos')) or [{}]
    center = [_number(objpos.get(axis)) for axis in 'xy']
    head_box = [[_number(rect.get(axis + corner)) for axis in 'xy'] for corner in '12']
    scale = _number(rect.get('scale'))
    return Person(image, joints, np.array(center), scale, np.array(head_box), odd_points)


def _number(value: Any) -> float:
    """Return a number that may be wrapped, a string, empty or absent (NaN)."""
    while isinstance(value, np.ndarray):
        if not value.size:
            return np.nan
        value = value.flat[0]
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan
