"""Checkpoint files that are either whole or not there."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from ..errors import ACNNError


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local file backend, whose writes can't leave half a file.

    Bytes go to ``NAME.partial`` and to the disk, and only then take the name. A process that is
    killed on the way leaves what was there before.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file.

        Args:
            obj: The whole content.
            filepath: The file, whose folder is made if need be.

        Raises:
            ACNNError: If it can not be written, for example because the disk is full; what was
                there before stays.
        """
        try:
            write_whole(Path(filepath), obj)
        except OSError as error:
            raise ACNNError(
                f'{filepath} could not be written ({error.strerror}): the checkpoints before it '
                'are intact, mend the disk and go on with --resume'
            ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Args:
        path: The file, whose folder is made if need be.
        content: The whole content.

    Raises:
        OSError: If it can't be written; what was there before stays.
    """
    partial = path.with_name(f'{path.name}.partial')
    path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path.parent).free
    if free < len(content):
        lack = f'it needs {len(content) / 1e6:.1f} MB, only {free / 1e6:.1f} MB are free'
        raise OSError(errno.ENOSPC, lack)
    try:
        with partial.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
