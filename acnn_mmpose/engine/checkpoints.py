"""Finding the checkpoint to go on from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mmengine.runner import CheckpointLoader


def latest_checkpoint(work_dir: str | Path) -> str | None:
    """Find the checkpoint of the last saved epoch or iteration.

    MMEngine's ``last_checkpoint`` file is not asked: it names a file by its absolute path, and a
    process killed while it writes leaves it empty. Checkpoint files themselves are whole.

    Args:
        work_dir: Folder of a run.

    Returns:
        The path, or None if there is no checkpoint.
    """
    found = {}
    for path in Path(work_dir).glob('*.pth'):
        match = re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name)
        if match:
            found[int(match[1])] = path
    return str(found[max(found)]) if found else None


def read_meta(checkpoint: str) -> dict[str, Any]:
    """Return the ``meta`` of a checkpoint: epoch, iter, seed, phase and more."""
    return CheckpointLoader.load_checkpoint(checkpoint, 'cpu').get('meta', {})
