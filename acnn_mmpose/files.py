"""Folders to write to, checked early; files that are whole or not there; reading json.

Every file that the package writes goes through :func:`write_whole` or :func:`write_together`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .errors import ACNNError

REMEDY = 'make room, or write to another place'


def make_folder(folder: str | Path, what: str, remedy: str = 'choose another one') -> Path:
    """Make a folder, and its parents, unless it is there.

    What it is for, as in ``'the output folder'``, and the remedy are said if it can't be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ACNNError(f'{what} {folder} can not be made ({error.strerror}): {remedy}') from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ACNNError(f'{what} {folder} is not writable: {remedy}')
    return folder


def read_json(path: str | Path, remedy: str) -> Any:
    """Read a json file; ACNNError, with the remedy, if it can't be read or is none."""
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except (OSError, RecursionError, ValueError) as error:
        raise ACNNError(f'{path} can not be read as json ({error}): {remedy}') from error


def write_whole(path: str | Path, content: bytes | str, remedy: str = REMEDY) -> None:
    """Write a file whole or not at all, as :func:`write_together` does."""
    write_together({path: content}, remedy)


def write_together(files: Mapping[str | Path, bytes | str], remedy: str = REMEDY) -> None:
    """Write files that belong together: all of them whole, or, on a full disk, none.

    Each goes to ``NAME.partial`` and to the disk, and only then do they take their names; text is
    written as UTF-8, folders are made if need be. A process that is killed on the way leaves what
    was there before. A name that was a link to another file is a file of its own afterwards.

    Raises:
        ACNNError: If one can't be written; what was there before stays.
    """
    partials: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            path = Path(path)
            partials[path] = partial_name(path)
            _write(partials[path], content.encode() if isinstance(content, str) else content)
        for path, partial in partials.items():
            os.replace(partial, path)
    except OSError as error:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
        raise ACNNError(f'{path} could not be written ({error.strerror}): {remedy}') from error


def partial_name(path: Path, ending: str = '.partial') -> Path:
    """Make a file's folder, and name what it is called until it is whole: nothing has that name.

    It is an OSError if there is something of the file's name that is none, such as a device.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        raise OSError(errno.EEXIST, 'there is something of this name that is no file')
    partial = path.with_name(path.name + ending)
    partial.unlink(missing_ok=True)  # it might be a link to somebody's file
    return partial


def _write(path: Path, content: bytes) -> None:
    """Write a new file, to the disk."""
    free = shutil.disk_usage(path.parent).free
    if free < len(content):
        lack = f'it needs {len(content) / 1e6:.1f} MB, only {free / 1e6:.1f} MB are free'
        raise OSError(errno.ENOSPC, lack)
    with path.open('xb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def is_utf8(path: str | Path) -> bool:
    """Say whether a path is text: OpenCV ends the process where it is given another one."""
    return str(path).encode(errors='ignore').decode() == str(path)


def write_picture(path: str | Path, picture: np.ndarray) -> None:
    """Write a picture (H, W, 3), RGB, uint8, in the format that the file's name ends in.

    It is an ACNNError if that is not possible, for example because the format allows no such size.
    """
    height, width = picture.shape[:2]
    try:
        fits, content = cv2.imencode(Path(path).suffix, picture[..., ::-1])
    except cv2.error:
        fits = False
    if not fits:
        raise ACNNError(
            f'{path}, {width}x{height} px, can not be written: give a smaller picture, or another '
            'format'
        )
    write_whole(path, content.tobytes())
