"""Writing crops of people to disk, so that training need not decode photographs again and again."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

from mmpose.registry import DATASETS

from ..errors import ACNNError
from ..files import make_folder, write_whole
from ..progress import show_progress
from .cached_crop import HEADER, SUFFIX, crop_file, crop_rectangle
from .loading import UnreadableImageError, read_image
from .wrappers import leaf_datasets


def cache_crops(dataset: dict[str, Any], folder: str | Path, workers: int | None = None) -> str:
    """Write the crops of a data set's people that a folder lacks: :func:`write_crops`.

    Args:
        dataset: Config of the data set; of one that combines others, everybody in these is meant,
            however few of them it shows in an epoch.
        folder: Where to; it is made if need be.
        workers: Threads, >= 1; by default one per CPU core.
    """
    datasets = [DATASETS.build({**leaf, 'pipeline': []}) for leaf in leaf_datasets(dataset)]
    people = [each.get_data_info(i) for each in datasets for i in range(len(each))]
    return write_crops(people, folder, workers)


def write_crops(
    people: Sequence[dict[str, Any]], folder: str | Path, workers: int | None = None
) -> str:
    """Write the crops that a folder lacks, with a progress bar.

    A file is written whole or not at all, and files that are there stay, so that an interrupted
    call can be repeated.

    Args:
        people: Samples of a data set, before its pipeline.
        folder: Where to; it is made if need be.
        workers: Threads, >= 1; by default one per CPU core (cv2 decodes outside Python's lock).

    Returns:
        A report of what is in the folder, and of photographs that can't be read.

    Raises:
        ACNNError: If the folder can't be written, the disk is full, or ``workers`` is less than 1.
    """
    if workers is not None and workers < 1:
        raise ACNNError(f'caching crops needs at least 1 worker, but got {workers}')
    folder = make_folder(folder, 'the folder for crops')
    photographs = [
        list(group) for _, group in groupby(sorted(people, key=_photograph), key=_photograph)
    ]
    files: set[Path] = set()
    unreadable: list[str] = []
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        results = pool.map(lambda group: _cache_photograph(folder, group), photographs)
        for written in show_progress(results, 'photographs', total=len(photographs)):
            if isinstance(written, str):
                unreadable.append(written)
            else:
                files.update(written)
    return '\n'.join(_report(folder, files, unreadable))


def _photograph(person: dict[str, Any]) -> str:
    return person['img_path']


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
        header = struct.pack(HEADER, *image.shape[:2])
        write_whole(
            file,
            header + image[rectangle.slices].tobytes(),
            'make room, and the same command goes on',
        )
    return files


def _report(folder: Path, files: set[Path], unreadable: list[str]) -> Iterator[str]:
    yield from unreadable
    size = sum(file.stat().st_size for file in files)
    yield f'{len(files)} crops in {folder}, {size / 1e9:.1f} GB'
    others = [file for file in folder.glob(f'*{SUFFIX}') if file not in files]
    if others:
        size = sum(file.stat().st_size for file in others)
        yield (
            f'{len(others)} other crops there, {size / 1e9:.1f} GB: of another data set, or out of '
            'date and never used again'
        )
