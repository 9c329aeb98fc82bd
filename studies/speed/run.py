"""Measuring group after group, until done or interrupted."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from acnn_mmpose.progress import show_progress

from mmengine.logging import MMLogger

from .groups import GROUPS
from .setup import Setup
from .table import Table


def run_benchmark(setup: Setup, names: Sequence[str], seconds: float) -> Iterator[Table]:
    """Measure the tables of some of :data:`GROUPS`; arguments as of :func:`measure_tables`."""
    # always in the order of GROUPS: training steps change how the process keeps memory
    groups = (group for name, group in GROUPS.items() if name in names)
    return measure_tables((table for group in groups for table in group(setup)), seconds)


def measure_tables(tables: Iterable[Table], seconds: float) -> Iterator[Table]:
    """Measure; an interrupt (Ctrl-C) is the end, and keeps what has been measured.

    Args:
        tables: What to measure.
        seconds: How long to measure each table, once its cases are warm; at least 3 rounds.

    Yields:
        A table with figures, as soon as it has them.
    """
    interrupted = False
    for table in tables:
        try:
            with _quiet():
                for _ in show_progress(
                    table.measure(seconds), table.title, unit='step', leave=False
                ):
                    pass
        except KeyboardInterrupt:
            interrupted = True
        if table.rounds and table.rounds[0]:
            yield table
        if interrupted:
            return


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what networks say of themselves out of the tables."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
