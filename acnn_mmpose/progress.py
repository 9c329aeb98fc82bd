"""Progress of what takes long."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar('Item')


def show_progress(items: Iterable[Item], what: str, **options: Any) -> Iterable[Item]:
    """Show a progress bar on a terminal; elsewhere, such as in a log, one line a minute."""
    seconds = 0.1 if sys.stderr.isatty() else 60
    return tqdm(items, what, mininterval=seconds, maxinterval=max(10, seconds), **options)
