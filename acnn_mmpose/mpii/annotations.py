"""Reading MPII's annotation files in MMPose's layout, or saying what keeps them from being used.

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
from .release import NUM_JOINTS

PIXEL_STD = 200.0  # MPII's scale is a person's height over 200 px
# a person of 2 to 10,000 px; MPII's are between 0.4 and 20
MIN_SCALE, MAX_SCALE = 0.01, 50
CONVERT = 'make it with tools/convert_mpii.py'


def read_annotations(ann_file: Path, has_joints: bool = True) -> list[dict[str, Any]]:
    """Read an annotation file whose people are whole; images are not looked at.

    Args:
        ann_file: For example ``mpii_val.json``.
        has_joints: Whether people must have 16 joints.

    Returns:
        The people.

    Raises:
        ACNNError: Naming the first thing that is wrong, and what to do.
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


def refuse(problems: Sequence[str]) -> None:
    """Raise an :class:`ACNNError` that names the first of the problems, if there are any."""
    if problems:
        raise ACNNError(
            f'{name_first(problems)}: restore it, or make the annotations anew with '
            'tools/convert_mpii.py; tools/check_mpii.py lists all that is wrong'
        )


def read_entries(path: Path) -> list:
    """Read an annotation file, whatever its entries are.

    Raises:
        ACNNError: If it is no list, or an empty one.
    """
    content = read_json(path, CONVERT)
    if not isinstance(content, list) or not content:
        raise ACNNError(f"{path} holds {_describe(content)} instead of MPII's people: {CONVERT}")
    return content


def entry_problems(
    entry: Any, has_joints: bool, sizes: dict[str, Size] | None = None
) -> Iterator[str]:
    """Check one entry of an annotation file.

    Center and labelled joints may lie outside the image by half the person's height.

    Args:
        entry: The entry.
        has_joints: Whether it must have joints.
        sizes: Width and height in pixels of images, where known.

    Yields:
        What is wrong, without saying where.
    """
    keys = ('image', 'center', 'scale', *(('joints', 'joints_vis') if has_joints else ()))
    missing = [key for key in keys if not isinstance(entry, dict) or key not in entry]
    if missing:
        yield f'has no {", ".join(missing)}'
        return
    image = entry['image']
    if not isinstance(image, str) or not re.fullmatch(r'[0-9]{1,18}\.\w+', image):
        yield f'image name {image!r} is not a number like 000001.jpg, which MpiiDataset needs'
        image = None
    size = (sizes or {}).get(image)
    center, scale = floats(entry['center']), floats(entry['scale'])
    if scale.shape != () or not MIN_SCALE <= scale <= MAX_SCALE:
        yield f'scale {entry["scale"]} is not between {MIN_SCALE} and {MAX_SCALE} (times 200 px)'
        scale = np.array(1.0)
    height = float(scale) * PIXEL_STD
    if center.shape != (2,) or not is_place(center):
        yield f'center {entry["center"]} is not two numbers of a sensible size'
    elif size and _outside(center, size) > height / 2:
        yield f'center {entry["center"]} is outside the image {image}, {_text(size)}'
    if has_joints:
        yield from _joint_problems(entry, height, size)


def _joint_problems(entry: dict, height: float, size: Size | None) -> Iterator[str]:
    """Check the joints of a person of ``height`` px."""
    joints, visible = floats(entry['joints']), floats(entry['joints_vis'])
    if joints.shape != (NUM_JOINTS, 2) or visible.shape != (NUM_JOINTS,):
        yield (
            f'has {_length(entry["joints"])} joints and {_length(entry["joints_vis"])} joints_vis: '
            f'{NUM_JOINTS} of each are needed, x and y for each joint'
        )
        return
    if not np.isin(visible, (0, 1)).all():
        yield 'joints_vis has values other than 0 and 1'
    for joint_id, (joint, is_labelled) in enumerate(zip(joints, visible)):
        if not is_place(joint):
            yield f'joint {joint_id} is {joint.tolist()}, not two numbers of a sensible size'
        elif is_labelled and size and _outside(joint, size) > height / 2:
            yield (
                f'joint {joint_id} at {joint.tolist()} is {_outside(joint, size):.0f} px outside '
                f'the image {entry["image"]}, {_text(size)}'
            )


def floats(value: Any) -> np.ndarray:
    """Return an array of a json value; an empty one if it is ragged or not made of numbers."""
    try:
        array = np.array(value)
    except ValueError:
        return np.empty(0)
    return array.astype(float) if array.dtype.kind in 'iuf' else np.empty(0)


def is_place(points: np.ndarray) -> bool:
    """Whether points are finite and small enough for float32 arithmetic."""
    return bool((np.abs(points) <= MAX_COORDINATE).all())


def _outside(point: np.ndarray, size: Size) -> float:
    """Return how many pixels a point, counted from 1, lies outside an image."""
    return float(np.maximum(1 - point, point - size).max())


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _text(size: Size) -> str:
    return f'{size[0]}x{size[1]} px'


def _describe(content: Any) -> str:
    if isinstance(content, dict):
        keys = ', '.join(list(content)[:4])
        coco = " (COCO's format)" if {'images', 'annotations'} <= set(content) else ''
        return f'an object with the keys {keys}{coco}'
    return 'an empty list' if content == [] else f'a {type(content).__name__}'
