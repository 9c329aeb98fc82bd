"""Checkpoint files that are either whole or not there."""

from __future__ import annotations

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from ..files import write_whole


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local file backend, whose writes can't leave half a file."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file, or raise ACNNError and leave what was there before."""
        write_whole(
            filepath,
            obj,
            'the checkpoints before it are intact, mend the disk and go on with --resume',
        )
