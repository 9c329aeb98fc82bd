"""The usual validation split of MPII's training images (Tompson et al., CVPR 2015).

``val_split.txt`` lists it as facts: one image per line, its number and then the position
(``objpos`` x,y) of each person of the split, in the order of the 2,958 rows of ``mpii_val.json``
that published predictions follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

SPLIT_FILE = Path(__file__).with_name('val_split.txt')


class SplitPerson(NamedTuple):
    """A person of the split: image file name and position in pixels, counted from 1."""

    image: str
    x: float
    y: float


def load_val_split() -> list[SplitPerson]:
    """Read the split, in its order."""
    split = []
    for line in SPLIT_FILE.read_text(encoding='utf-8').splitlines():
        number, *positions = line.split()
        for position in positions:
            x, y = map(float, position.split(','))
            split.append(SplitPerson(f'{number}.jpg', x, y))
    return split


def find_person(person: SplitPerson, centers: Sequence[np.ndarray]) -> int | None:
    """Find which of an image's people is meant.

    Args:
        person: A person of the split.
        centers: Every person's ``objpos``, (2,) each, NaN where absent.

    Returns:
        The index of the nearest one, or None if none is less than a pixel away.
    """
    distances = [np.hypot(x - person.x, y - person.y) for x, y in centers]
    if not np.any(np.less(distances, 1)):
        return None
    return int(np.nanargmin(distances))
