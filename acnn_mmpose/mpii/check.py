"""Checking an MPII data root before days of training, and listing every problem at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import ACNNError
from ..image_check import check_image_files
from .annotations import entry_problems, head_box_problems, read_entries

SPLITS = ('train', 'val', 'test')


def check_mpii(data_root: str | Path) -> list[str]:
    """Check ``annotations/`` and ``images/`` of a data root; list every problem, one line each.

    ``mpii_train.json``, ``mpii_val.json`` and ``mpii_gt_val.mat`` must be there; ``mpii_test.json``
    is checked where it is. Every image that they name is decoded, in one thread per CPU core.
    All problems spoil a training or an evaluation.
    """
    root = Path(data_root)
    if not root.is_dir():
        raise ACNNError(f'data root {root} does not exist')
    problems: list[str] = []
    entries: dict[str, list] = {}
    for split in SPLITS:
        path = root / 'annotations' / f'mpii_{split}.json'
        try:
            entries[split] = read_entries(path) if split != 'test' or path.exists() else []
        except ACNNError as error:
            entries[split] = []
            problems.append(f'{error}')
    names = {split: _image_names(entries[split]) for split in SPLITS}
    images = sorted(set.union(*names.values()))
    sizes, image_problems = check_image_files(root / 'images', images)
    problems += image_problems
    for split in SPLITS:
        for index, entry in enumerate(entries[split]):
            where = f'mpii_{split}.json entry {index}'
            problems += [
                f'{where}: {problem}' for problem in entry_problems(entry, split != 'test', sizes)
            ]
        problems += _duplicates(entries[split], f'mpii_{split}.json')
    for first, second in (('train', 'val'), ('train', 'test'), ('val', 'test')):
        for image in sorted(names[first] & names[second]):
            problems.append(f'{image} is in both mpii_{first}.json and mpii_{second}.json')
    problems += head_box_problems(root / 'annotations' / 'mpii_gt_val.mat', entries['val'])
    return problems


def _image_names(entries: list) -> set[str]:
    names = (entry.get('image') for entry in entries if isinstance(entry, dict))
    return {name for name in names if isinstance(name, str)}


def _duplicates(entries: list, where: str) -> Iterator[str]:
    """Find people that are listed twice: same image, same center."""
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and 'image' in entry:
            key = f'{entry["image"]} {entry.get("center")}'
            if first.setdefault(key, index) != index:
                yield f'{where} entry {index}: the same person as entry {first[key]} ({key})'
