"""Checking an MPII data root before days of training, and listing every problem at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import ACNNError
from ..image_check import check_image_files
from .annotations import entry_problems, read_entries
from .head_boxes import head_box_problems

SPLITS = ('train', 'val', 'test')


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
    sizes, image_problems = check_image_files(root / 'images', sorted(names), workers)
    problems += image_problems
    for split in SPLITS:
        for index, entry in enumerate(entries[split]):
            where = f'mpii_{split}.json entry {index}'
            problems += [
                f'{where}: {problem}' for problem in entry_problems(entry, split != 'test', sizes)
            ]
        problems += _duplicates(entries[split], f'mpii_{split}.json')
    problems += _overlaps(entries)
    problems += head_box_problems(root / 'annotations' / 'mpii_gt_val.mat', entries['val'])
    return problems


def _load_entries(root: Path, split: str, problems: list[str]) -> list:
    """Read a split's annotation file; what keeps it from being read is added to ``problems``."""
    path = root / 'annotations' / f'mpii_{split}.json'
    if not path.exists() and split == 'test':
        return []
    try:
        return read_entries(path)
    except ACNNError as error:
        problems.append(f'{error}')
        return []


def _image_names(entries: list) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get('image'), str):
            yield entry['image']


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
