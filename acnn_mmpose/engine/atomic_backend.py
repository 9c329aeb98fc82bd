"""Checkpoint files that are either whole or not there."""

from __future__ import annotations

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
            ACNNError: If the disk is full; what was there before stays.
        """
        path = Path(filepath)
        partial = path.with_name(f'{path.name}.partial')
        path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
        if free < len(obj):
            raise ACNNError(
                f'{path} needs {len(obj) / 1e6:.0f} MB, but only {free / 1e6:.0f} MB are free: the '
                'checkpoints before it are intact, make room and go on with --resume'
            )
        try:
            with partial.open('wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise ACNNError(
                f'{path} could not be written ({error.strerror}): the checkpoints before it are '
                'intact, mend the disk and go on with --resume'
            ) from error
