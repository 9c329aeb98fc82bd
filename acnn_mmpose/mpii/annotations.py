"""MPII's annotations in MMPose's layout and their head boxes: read, or what is wrong with them.

What can be used is said here once: the converter writes nobody else, and the checker, training,
evaluation and the submission read nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ACNNError, name_first
from ..files import read_json
from ..image_check import Size
from ..input_checks import MAX_COORDINATE
from .mat_file import load_mat
from .release import NUM_JOINTS

PIXEL_STD = 200.0  # MPII's scale is a person's height over 200 px
# a person of 2 to 10,000 px; MPII's are between 0.4 and 20
MIN_SCALE, MAX_SCALE = 0.01, 50
JOINT_KEYS = ('joints', 'joints_vis')
CONVERT = 'make it with tools/convert_mpii.py'


def read_annotations(ann_file: Path, has_joints: bool = True) -> list[dict[str, Any]]:
    """Read the people of, for example, ``mpii_val.json``; images are not looked at.

    Raises:
        ACNNError: Naming the first person who is not whole, with 16 joints if ``has_joints``.
    """
    entries = read_entries(ann_file)
    refuse(
        [
            f'{ann_file} entry {index} {problem}'
            for index, entry in enumerate(entries)
            for problem in entry_problems(entry, has_joints)
        ]
    )
    return entries


def check_head_boxes(path: str | Path, entries: list) -> None:
    """Refuse head boxes, which PCKh divides by, of others than the people of ``mpii_val.json``."""
    refuse(list(head_box_problems(Path(path), entries)))


def refuse(problems: Sequence[str]) -> None:
    """Raise an :class:`ACNNError` that names the first of the problems, if there are any."""
    if problems:
        raise ACNNError(
            f'{name_first(problems)}: restore it, or make the annotations anew with '
            'tools/convert_mpii.py; tools/check_mpii.py lists all that is wrong'
        )


def read_entries(path: Path) -> list:
    """Read an annotation file, a list that is not empty, whatever its entries are."""
    content = read_json(path, CONVERT)
    if not isinstance(content, list) or not content:
        raise ACNNError(f"{path} is no list of people in MPII's format: {CONVERT}")
    return content


def entry_problems(
    entry: Any, has_joints: bool, sizes: dict[str, Size] | None = None
) -> Iterator[str]:
    """Yield what is wrong with one entry of an annotation file, without saying where.

    Args:
        entry: The entry; center and labelled joints may lie outside the image by half the person's
            height.
        has_joints: Whether it must have joints.
        sizes: Width and height in pixels of images, where known.
    """
    keys = ('image', 'center', 'scale', *(JOINT_KEYS if has_joints else ()))
    missing = [key for key in keys if not isinstance(entry, dict) or key not in entry]
    if missing:
        yield f'has no {", ".join(missing)}'
        return
    image = entry['image']
    if not isinstance(image, str) or not re.fullmatch(r'[0-9]{1,18}\.\w+', image):
        yield f'image name {image!r} is not a number like 000001.jpg, which MpiiDataset needs'
        image = None
    size, scale = (sizes or {}).get(image), _floats(entry['scale'])
    if scale.shape != () or not MIN_SCALE <= scale <= MAX_SCALE:
        yield f'scale {entry["scale"]} is not between {MIN_SCALE} and {MAX_SCALE} (times 200 px)'
        scale = np.array(1.0)
    places = [('center', _floats(entry['center']), True)]
    if has_joints:
        joints, visible = _floats(entry['joints']), _floats(entry['joints_vis'])
        if joints.shape != (NUM_JOINTS, 2) or visible.shape != (NUM_JOINTS,):
            lengths = [len(v) if isinstance(v, list) else 0 for v in map(entry.get, JOINT_KEYS)]
            yield (
                f'has {lengths[0]} joints and {lengths[1]} joints_vis: '
                f'{NUM_JOINTS} of each are needed, x and y for each joint'
            )
            joints = visible = np.empty(0)
        if not np.isin(visible, (0, 1)).all():
            yield 'joints_vis has values other than 0 and 1'
        places += [(f'joint {i}', *joint) for i, joint in enumerate(zip(joints, visible))]
    for what, place, is_labelled in places:
        if place.shape != (2,) or not _is_place(place):
            yield f'{what} is {entry.get(what, place.tolist())}, not two numbers of a sensible size'
        elif is_labelled and size:
            outside = float(np.maximum(1 - place, place - size).max())  # pixels count from 1
            if outside > scale * PIXEL_STD / 2:
                yield (
                    f'{what} at {place.tolist()} is {outside:.0f} px outside the image {image}, '
                    f'{size[0]}x{size[1]} px'
                )


def is_head_box(box: np.ndarray) -> bool:
    """Whether a box (2, 2) of corners has a size that a distance can be divided by."""
    return _is_place(box) and bool(np.linalg.norm(box[1] - box[0]) > 0)


def head_box_problems(path: Path, entries: list) -> Iterator[str]:
    """Check that the head boxes exist, belong to the rows of ``mpii_val.json`` and are sane."""
    try:
        arrays = load_mat(path, 'headboxes_src', 'pos_gt_src')
        boxes, positions = (np.moveaxis(_floats(array), -1, 0) for array in arrays)
    except ACNNError as error:
        yield f'{error}'
        return
    if boxes.shape != (len(entries), 2, 2):
        yield (
            f'{path.name} has {len(boxes)} head boxes but mpii_val.json has {len(entries)} entries;'
            ' MMPose matches them by position'
        )
        return
    if positions.shape != (len(entries), NUM_JOINTS, 2):
        yield (
            f'{path.name} has joints (pos_gt_src) of shape {positions.shape} instead of '
            f'{(len(entries), NUM_JOINTS, 2)}, people x joints x 2'
        )
        return
    for index, (box, entry, position) in enumerate(zip(boxes, entries, positions)):
        if not is_head_box(box):
            yield f'{path.name} row {index}: head box {box.tolist()} has no size'
        if not _same_joints(entry, position):
            yield f'{path.name} row {index} and mpii_val.json entry {index} are not one person'


def _same_joints(entry: Any, position: np.ndarray) -> bool:
    """Compare an entry's labelled joints, if they are sound, with a row (16, 2) of the .mat."""
    values = entry if isinstance(entry, dict) else {}
    joints, visible = (_floats(values.get(key)) for key in JOINT_KEYS)
    if joints.shape != position.shape or visible.shape != position.shape[:1]:
        return True
    labelled = (visible > 0) & np.isfinite(joints).all(axis=1)
    return np.allclose(joints[labelled], position[labelled], rtol=0, atol=0.01)


def _floats(value: Any) -> np.ndarray:
    """Return an array of a json value; an empty one if it is ragged or not made of numbers."""
    try:
        array = np.array(value)
    except ValueError:
        return np.empty(0)
    return array.astype(float) if array.dtype.kind in 'iuf' else np.empty(0)


def _is_place(points: np.ndarray) -> bool:
    """Whether points are finite and small enough for float32 arithmetic."""
    return bool((np.abs(points) <= MAX_COORDINATE).all())
