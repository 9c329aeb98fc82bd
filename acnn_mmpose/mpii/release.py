"""Reading MPII's official annotation file into plain records.

``mpii_human_pose_v1_u12_1.mat`` holds one struct, RELEASE, that is ragged: a field can be absent in
one image and present in the next, present but empty, a struct array or a cell of structs, a number
or a string. Everything of that ends here; what was met is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import ACNNError
from .mat_file import load_mat

NUM_JOINTS = 16


class Person(NamedTuple):
    """One rectangle, ``annorect(j)``; pixels, counted from 1, float64, NaN where absent."""

    joints: np.ndarray
    """(16, 2) by joint id."""
    center: np.ndarray
    """(2,), ``objpos``."""
    scale: float
    """Height over 200 px."""
    head_box: np.ndarray
    """(2, 2), (x1, y1) and (x2, y2)."""

    @property
    def is_located(self) -> bool:
        """Whether center and scale are there, without which no crop can be made."""
        return bool(np.isfinite(self.center).all() and self.scale > 0)

    @property
    def is_labelled(self) -> bool:
        """Whether at least one joint is labelled."""
        return bool(np.isfinite(self.joints).any())


class Image(NamedTuple):
    """One image, ``annolist(i)``."""

    name: str
    is_train: bool
    """``img_train(i)``; the joints of test images are withheld."""
    people: list[Person]
    single_person: list[int]
    """Which rectangles, counted from 1, are far enough from others to be scored."""


class Release(NamedTuple):
    """The annotation file, images in the official order."""

    images: list[Image]
    test_annolist: np.ndarray
    """``annolist(img_train == 0)`` as scipy reads it, (1, n): the frame of a submission."""
    remarks: Counter
    """How often each irregularity was met."""


def read_release(path: str | Path) -> Release:
    """Read the official annotation file, ``mpii_human_pose_v1_u12_1.mat``.

    Raises:
        ACNNError: If the file is missing, is no .mat file, or is not laid out as RELEASE.
    """
    structs = records(load_mat(path, 'RELEASE'))
    there = to_fields(structs[0]) if structs else {}
    for name in ('annolist', 'img_train', 'single_person'):
        if name not in there:
            raise ACNNError(
                f'{path} has no RELEASE.{name}: give mpii_human_pose_v1_u12_1.mat from '
                "MPII's annotation download"
            )
    release = structs[0]
    annolist = records(_field(release, 'annolist'))
    img_train = np.ravel(_field(release, 'img_train'))
    single_person = np.ravel(_field(release, 'single_person'))
    if not len(annolist) == len(img_train) == len(single_person):
        raise ACNNError(
            f'{path} is not the official file: annolist has {len(annolist)} images, img_train '
            f'{len(img_train)} and single_person {len(single_person)}, which must be equal'
        )
    if not np.isin(img_train, (0, 1)).all():
        raise ACNNError(f'{path} is not the official file: img_train has values other than 0 and 1')
    remarks: Counter = Counter()
    images = [
        _read_image(record, bool(is_train), _rectangles(single, remarks), remarks)
        for record, is_train, single in zip(annolist, img_train, single_person)
    ]
    test_records = [record for record, is_train in zip(annolist, img_train) if not is_train]
    return Release(images, struct_array([to_fields(record) for record in test_records]), remarks)


def records(value: Any) -> list[np.void]:
    """List the elements of a struct array, or of a cell of structs; none if the field is empty."""
    if isinstance(value, np.ndarray):
        if value.dtype.names:
            return list(value.ravel())
        if value.dtype == object:
            return [record for item in value.ravel() for record in records(item)]
    return []


def to_fields(record: np.void) -> dict[str, Any]:
    """Return a struct's fields by name."""
    return {name: record[name] for name in record.dtype.names or ()}


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


def _read_image(
    record: np.void, is_train: bool, single_person: list[int], remarks: Counter
) -> Image:
    names = [np.ravel(_field(image, 'name')) for image in records(_field(record, 'image'))]
    name = str(names[0][0]) if names and names[0].size else ''
    people = [read_person(rect, is_train, remarks) for rect in records(_field(record, 'annorect'))]
    remarks['images without a name'] += not name
    remarks['images without rectangles'] += not people
    return Image(name, is_train, people, single_person)


def read_person(rect: np.void, is_train: bool, remarks: Counter) -> Person:
    """Read a rectangle, ``annorect(j)``, of a training or test image; count irregularities."""
    joints = np.full((NUM_JOINTS, 2), np.nan)
    for annopoints in records(_field(rect, 'annopoints')):
        for point in records(_field(annopoints, 'point')):
            _read_point(point, joints, remarks)
    positions = records(_field(rect, 'objpos'))
    center = [_number(_field(positions[0], axis)) if positions else np.nan for axis in 'xy']
    head_box = [[_number(_field(rect, axis + corner)) for axis in 'xy'] for corner in '12']
    person = Person(joints, np.array(center), _number(_field(rect, 'scale')), np.array(head_box))
    remarks['rectangles without a scale'] += not person.scale > 0
    remarks['rectangles without a position (objpos)'] += not np.isfinite(person.center).all()
    if is_train:  # MPII withholds these of test images
        remarks['training rectangles without points'] += not person.is_labelled
        remarks['training rectangles without a head box'] += not np.isfinite(person.head_box).all()
    return person


def _read_point(point: np.void, joints: np.ndarray, remarks: Counter) -> None:
    """Enter a point into ``joints`` (16, 2) by its id; the first one of an id counts."""
    joint_id = _number(_field(point, 'id'))
    position = _number(_field(point, 'x')), _number(_field(point, 'y'))
    if joint_id not in range(NUM_JOINTS):
        remarks['points with an id outside 0 to 15 (left out)'] += 1
    elif not np.isfinite(position).all():
        remarks['points without coordinates (left out)'] += 1
    elif np.isfinite(joints[int(joint_id), 0]):
        remarks['points whose id the person already has (left out)'] += 1
    else:
        joints[int(joint_id)] = position
        visible = _number(_field(point, 'is_visible'))
        remarks[f'points marked {"visible" if visible else "occluded"}'] += np.isfinite(visible)
        remarks['points without a visibility mark'] += np.isnan(visible)


def _field(record: np.void, name: str) -> Any:
    """Return a field of a struct, an empty array if this struct does not have it."""
    return record[name] if name in (record.dtype.names or ()) else np.empty(0)


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


def _rectangles(value: Any, remarks: Counter) -> list[int]:
    """List the rectangles, counted from 1, of ``single_person{i}``, which may be empty."""
    numbers = [_number(number) for number in np.ravel(value)]
    rectangles = [int(number) for number in numbers if number >= 1 and number.is_integer()]
    others = len(numbers) - len(rectangles)
    remarks['entries of single_person that name no rectangle (left out)'] += others
    return rectangles
