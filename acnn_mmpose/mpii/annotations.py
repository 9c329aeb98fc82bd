"""Reading MPII's annotation files in MMPose's layout, or saying what keeps them from being used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ACNNError
from .check import entry_problems, ground_truth_problems


def read_annotations(
    ann_file: Path, headbox_file: str | Path | None = None, has_joints: bool = True
) -> list[dict[str, Any]]:
    """Read an annotation file whose people, and head boxes, are whole; images are not looked at.

    Args:
        ann_file: For example ``mpii_val.json``.
        headbox_file: ``mpii_gt_val.mat``, to be checked with it.
        has_joints: Whether people must have 16 joints.

    Returns:
        The people.

    Raises:
        ACNNError: Naming the first thing that is wrong, and what to do.
    """
    entries = _read_entries(ann_file)
    refuse(
        [
            f'{ann_file} entry {index} {problem}'
            for index, entry in enumerate(entries)
            for problem in entry_problems(entry, has_joints, sizes={})
        ]
    )
    if headbox_file:
        refuse(list(ground_truth_problems(Path(headbox_file), entries)))
    return entries


def refuse(problems: Sequence[str]) -> None:
    """Raise an :class:`ACNNError` that names the first of the problems, if there are any."""
    if problems:
        more = f' (and {len(problems) - 1} more problems)' if len(problems) > 1 else ''
        raise ACNNError(
            f'{problems[0]}{more}: restore it, or make the annotations anew with '
            'tools/convert_mpii.py; tools/check_mpii.py lists all that is wrong'
        )


def _read_entries(path: Path) -> list:
    remedy = 'make it with tools/convert_mpii.py'
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, RecursionError, ValueError) as error:
        raise ACNNError(f'{path} can not be read as json ({error}): {remedy}') from error
    if not isinstance(content, list) or not content:
        raise ACNNError(f"{path} holds {_describe(content)} instead of MPII's people: {remedy}")
    return content


def _describe(content: Any) -> str:
    if isinstance(content, dict):
        keys = ', '.join(list(content)[:4])
        coco = " (COCO's format)" if {'images', 'annotations'} <= set(content) else ''
        return f'an object with the keys {keys}{coco}'
    return 'an empty list' if content == [] else f'a {type(content).__name__}'
