"""Checking an MPII data root before days of training, and listing every problem at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.image_check import Size, check_images
from ..datasets.mpii_test import PIXEL_STD
from ..errors import ACNNError
from .mat_file import load_mat
from .release import NUM_JOINTS

SPLITS = ('train', 'val', 'test')
MAX_SCALE = 50  # a person of 10,000 px; MPII's largest is below 20


def check_mpii(data_root: str | Path, workers: int | None = None) -> list[str]:
    """Check ``annotations/`` and ``images/`` of a data root.

    ``mpii_train.json``, ``mpii_val.json`` and ``mpii_gt_val.mat`` must be there;
    ``mpii_test.json`` is checked where it is. Every image that they name is decoded.

    Args:
        data_root: The data root.
        workers: Threads that decode images; by default one per CPU core.

    Returns:
        Every problem as one line that says where it is; all of them spoil a training or an
        evaluation.

    Raises:
        ACNNError: If the data root does not exist.
    """
    root = Path(data_root)
    if not root.is_dir():
        raise ACNNError(f'data root {root} does not exist')
    problems: list[str] = []
    entries = {split: _load_entries(root, split, problems) for split in SPLITS}
    names = {name for split in SPLITS for name in _image_names(entries[split])}
    sizes, image_problems = check_images(root / 'images', sorted(names), workers)
    problems += image_problems
    for split in SPLITS:
        for index, entry in enumerate(entries[split]):
            where = f'mpii_{split}.json entry {index}'
            problems += [
                f'{where}: {problem}' for problem in entry_problems(entry, split != 'test', sizes)
            ]
        problems += _duplicates(entries[split], f'mpii_{split}.json')
    problems += _overlaps(entries)
    problems += ground_truth_problems(root / 'annotations' / 'mpii_gt_val.mat', entries['val'])
    return problems


def _load_entries(root: Path, split: str, problems: list[str]) -> list:
    """Read a split's annotation file; what keeps it from being read is added to ``problems``."""
    path = root / 'annotations' / f'mpii_{split}.json'
    if not path.exists() and split == 'test':
        return []
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        problems.append(f'{path.name} can not be read: {error}')
        return []
    if not isinstance(entries, list) or not entries:
        problems.append(f'{path.name} has no list of entries')
        return []
    return entries


def _image_names(entries: list) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get('image'), str):
            yield entry['image']


def entry_problems(entry: Any, has_joints: bool, sizes: dict[str, Size]) -> Iterator[str]:
    """Check one entry of an annotation file.

    Center and labelled joints may lie outside the image by half the person's height.

    Args:
        entry: The entry.
        has_joints: Whether the file must have joints.
        sizes: Width and height in pixels of every image that could be decoded.

    Yields:
        What is wrong, without saying where.
    """
    keys = ('image', 'center', 'scale', *(('joints', 'joints_vis') if has_joints else ()))
    missing = [key for key in keys if not isinstance(entry, dict) or key not in entry]
    if missing:
        yield f'has no {", ".join(missing)}'
        return
    image = str(entry['image'])
    if not re.fullmatch(r'\d+\.\w+', image):
        yield f'image name {image!r} is not a number, which MpiiDataset needs'
    center, scale = _floats(entry['center']), _floats(entry['scale'])
    if scale.shape != () or not 0 < scale <= MAX_SCALE:
        yield f'scale {entry["scale"]} is not between 0 and {MAX_SCALE} (times 200 px)'
        scale = np.array(1.0)
    height = float(scale) * PIXEL_STD
    if center.shape != (2,) or not np.isfinite(center).all():
        yield f'center {entry["center"]} is not two numbers'
    elif image in sizes and _outside(center, sizes[image]) > height / 2:
        yield f'center {entry["center"]} is outside the image {image}, {_text(sizes[image])}'
    if has_joints:
        yield from _joint_problems(entry, height, sizes.get(image))


def _joint_problems(entry: dict, height: float, size: Size | None) -> Iterator[str]:
    """Check the joints of a person of ``height`` px."""
    joints, visible = _floats(entry['joints']), _floats(entry['joints_vis'])
    if joints.shape != (NUM_JOINTS, 2) or visible.shape != (NUM_JOINTS,):
        yield (
            f'has {_length(entry["joints"])} joints and {_length(entry["joints_vis"])} joints_vis: '
            f'{NUM_JOINTS} of each are needed, x and y for each joint'
        )
        return
    if not np.isin(visible, (0, 1)).all():
        yield 'joints_vis has values other than 0 and 1'
    for joint_id, (joint, is_labelled) in enumerate(zip(joints, visible)):
        if not np.isfinite(joint).all():
            yield f'joint {joint_id} is {joint.tolist()}, not two numbers'
        elif is_labelled and size and _outside(joint, size) > height / 2:
            yield (
                f'joint {joint_id} at {joint.tolist()} is {_outside(joint, size):.0f} px outside '
                f'the image {entry["image"]}, {_text(size)}'
            )


def _duplicates(entries: list, where: str) -> Iterator[str]:
    """Find people that are listed twice: same image, same center."""
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and 'image' in entry:
            key = f'{entry["image"]} {entry.get("center")}'
            if first.setdefault(key, index) != index:
                yield f'{where} entry {index}: the same person as entry {first[key]} ({key})'


def _overlaps(entries: dict[str, list]) -> Iterator[str]:
    for first, second in (('train', 'val'), ('train', 'test'), ('val', 'test')):
        for image in sorted({*_image_names(entries[first])} & {*_image_names(entries[second])}):
            yield f'{image} is in both mpii_{first}.json and mpii_{second}.json'


def ground_truth_problems(path: Path, entries: list) -> Iterator[str]:
    """Check that the head boxes exist, belong to the rows of ``mpii_val.json`` and are sane."""
    try:
        boxes = np.moveaxis(_floats(load_mat(path, 'headboxes_src')), -1, 0)
        positions = np.moveaxis(_floats(load_mat(path, 'pos_gt_src')), -1, 0)
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
    for index, box in enumerate(boxes):
        if not (np.isfinite(box).all() and np.linalg.norm(box[1] - box[0]) > 0):
            yield f'{path.name} row {index}: head box {box.tolist()} has no size'
    for index, (entry, position) in enumerate(zip(entries, positions)):
        if not _same_joints(entry, position):
            yield f'{path.name} row {index} and mpii_val.json entry {index} are not one person'


def _same_joints(entry: Any, position: np.ndarray) -> bool:
    """Compare an entry's labelled joints with a row (16, 2) of the ground truth file.

    Entries whose joints are malformed are reported elsewhere.
    """
    if not isinstance(entry, dict):
        return True
    joints, visible = _floats(entry.get('joints')), _floats(entry.get('joints_vis'))
    if joints.shape != position.shape or visible.shape != position.shape[:1]:
        return True
    labelled = (visible > 0) & np.isfinite(joints).all(axis=1)
    return np.allclose(joints[labelled], position[labelled], rtol=0, atol=0.01)


def _outside(point: np.ndarray, size: Size) -> float:
    """Return how many pixels a point, counted from 1, lies outside an image."""
    return float(np.maximum(1 - point, point - size).max())


def _floats(value: Any) -> np.ndarray:
    """Return an array of a json value; an empty one if it is ragged or not made of numbers."""
    try:
        array = np.array(value)
    except ValueError:
        return np.empty(0)
    return array.astype(float) if array.dtype.kind in 'iuf' else np.empty(0)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _text(size: Size) -> str:
    return f'{size[0]}x{size[1]} px'
