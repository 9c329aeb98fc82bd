"""Writing crops of people to disk, so that training need not decode photographs again and again."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from mmpose.registry import DATASETS

from ..files import make_folder, write_whole
from ..progress import show_progress
from .cached_crop import HEADER, SUFFIX, crop_file, crop_rectangle
from .loading import UnreadableImageError, read_image
from .wrappers import leaf_datasets


def cache_crops(dataset: dict[str, Any], folder: str | Path) -> str:
    """Write the crops of everybody in a config's data sets that a folder lacks.

    Of one that combines others these are meant, however few of their people it shows.
    """
    datasets = [DATASETS.build({**leaf, 'pipeline': []}) for leaf in leaf_datasets(dataset)]
    people = [each.get_data_info(i) for each in datasets for i in range(len(each))]
    return write_crops(people, folder)


def write_crops(people: Sequence[dict[str, Any]], folder: str | Path) -> str:
    """Write the crops that a folder lacks, each whole or not at all; a call can be repeated.

    Args:
        people: Samples of a data set, before its pipeline.
        folder: Where to; it is made if need be.

    Returns:
        A report of what is in the folder, and of photographs that can't be read.
    """
    folder = make_folder(folder, 'the folder for crops')
    by_photograph = itemgetter('img_path')
    photographs = [
        list(group) for _, group in groupby(sorted(people, key=by_photograph), by_photograph)
    ]
    files: set[Path] = set()
    report: list[str] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # cv2 decodes outside Python's lock
        results = pool.map(lambda group: _cache_photograph(folder, group), photographs)
        for written in show_progress(results, 'photographs', total=len(photographs)):
            if isinstance(written, str):
                report.append(written)
            else:
                files.update(written)
    report.append(f'{len(files)} crops in {folder}, {_gigabytes(files)}')
    others = set(folder.glob(f'*{SUFFIX}')) - files
    if others:
        report.append(
            f'{len(others)} other crops there, {_gigabytes(others)}: of another data set, or out '
            'of date and never used again'
        )
    return '\n'.join(report)


def _cache_photograph(folder: Path, people: list[dict[str, Any]]) -> list[Path] | str:
    """Write the crops of a photograph's people; return their files, or what is wrong with it."""
    try:
        files = [crop_file(folder, person) for person in people]
        missing = [(f, p) for f, p in zip(files, people) if not f.exists()]
        if missing:
            image = read_image(people[0]['img_path'])
    except (OSError, UnreadableImageError) as error:
        return f'{error}'
    for file, person in missing:
        rectangle = crop_rectangle(person).clip(image.shape[:2])
        content = struct.pack(HEADER, *image.shape[:2]) + image[rectangle.slices].tobytes()
        write_whole(file, content, 'make room, and the same command goes on')
    return files


def _gigabytes(files: set[Path]) -> str:
    return f'{sum(file.stat().st_size for file in files) / 1e9:.1f} GB'
