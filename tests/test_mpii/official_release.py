"""Build files in the layout of MPII's official annotation file, as scipy saves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

EMPTY = np.empty((0, 0))


def structs(elements: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Build a MATLAB struct array from its elements, which have the same fields."""
    array = np.empty((1, len(elements)), dtype=[(name, object) for name in elements[0]])
    for index, element in enumerate(elements):
        for name, value in element.items():
            array[name][0, index] = value
    return array


def points(joints: Mapping[int, Sequence[float]], visible: Any = 1) -> np.ndarray:
    """Build annopoints from joint id -> (x, y)."""
    point = structs(
        [
            {'x': float(x), 'y': float(y), 'id': float(joint_id), 'is_visible': visible}
            for joint_id, (x, y) in joints.items()
        ]
    )
    return structs([{'point': point}])


def rect(
    joints: Mapping[int, Sequence[float]] | None,
    center: Sequence[float] = (100, 120),
    scale: float = 2.0,
    head: Sequence[float] = (90, 20, 110, 50),
) -> dict[str, Any]:
    """Build the fields of an annorect; without joints one of a test image."""
    fields = {'scale': float(scale), 'objpos': structs([dict(zip('xy', map(float, center)))])}
    if joints is not None:
        fields.update(zip(('x1', 'y1', 'x2', 'y2'), map(float, head)))
        fields['annopoints'] = points(joints)
    return fields


def image(name: str, rects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Build the fields of an annolist element."""
    return {
        'image': structs([{'name': name}]),
        'annorect': structs(rects) if rects else EMPTY,
        'frame_sec': EMPTY,
        'vididx': EMPTY,
    }


def save_release(
    path: str | Path,
    images: Sequence[Mapping[str, Any]],
    img_train: Sequence[int],
    single_person: Sequence[Sequence[int]] | None = None,
    compress: bool = False,
) -> None:
    """Write RELEASE; by default every rectangle of an image is a single person."""
    cells = np.empty((len(images), 1), dtype=object)
    for index, element in enumerate(images):
        single = single_person[index] if single_person else range(1, element['annorect'].size + 1)
        integers = all(float(number).is_integer() for number in single)
        cells[index, 0] = np.array(single, np.uint8 if integers else float).reshape(-1, 1)
    release = {
        'annolist': structs(images),
        'img_train': np.array([img_train], dtype=np.uint8),
        'version': '12',
        'single_person': cells,
    }
    savemat(path, {'RELEASE': structs([release])}, do_compression=compress)
