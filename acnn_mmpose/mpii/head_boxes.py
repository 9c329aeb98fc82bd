"""Whether the head boxes that PCKh divides by are those of the people of ``mpii_val.json``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ACNNError
from .annotations import floats, is_place, refuse
from .mat_file import load_mat
from .release import NUM_JOINTS


def check_head_boxes(path: str | Path, entries: list) -> None:
    """Refuse head boxes that are not those of the people of ``mpii_val.json``.

    Raises:
        ACNNError: Naming the first thing that is wrong, and what to do.
    """
    refuse(list(head_box_problems(Path(path), entries)))


def is_head_box(box: np.ndarray) -> bool:
    """Whether a box (2, 2) of corners has a size that a distance can be divided by."""
    return is_place(box) and bool(np.linalg.norm(box[1] - box[0]) > 0)


def head_box_problems(path: Path, entries: list) -> Iterator[str]:
    """Check that the head boxes exist, belong to the rows of ``mpii_val.json`` and are sane."""
    try:
        boxes = np.moveaxis(floats(load_mat(path, 'headboxes_src')), -1, 0)
        positions = np.moveaxis(floats(load_mat(path, 'pos_gt_src')), -1, 0)
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
        if not is_head_box(box):
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
    joints, visible = floats(entry.get('joints')), floats(entry.get('joints_vis'))
    if joints.shape != position.shape or visible.shape != position.shape[:1]:
        return True
    labelled = (visible > 0) & np.isfinite(joints).all(axis=1)
    return np.allclose(joints[labelled], position[labelled], rtol=0, atol=0.01)
