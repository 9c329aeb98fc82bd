"""Folders to write to, checked before anything long starts."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import ACNNError


def make_folder(folder: str | Path, what: str, remedy: str = 'choose another one') -> Path:
    """Make a folder, and its parents, unless it is there.

    Args:
        folder: The folder.
        what: What it is for, as in ``'the output folder'``.
        remedy: What to do if it can't be written.

    Returns:
        The folder.

    Raises:
        ACNNError: If it can't be made or written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ACNNError(f'{what} {folder} can not be made ({error.strerror}): {remedy}') from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ACNNError(f'{what} {folder} is not writable: {remedy}')
    return folder
