"""Measuring group after group, until done or interrupted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from mmengine.logging import MMLogger
from tqdm import tqdm

from .groups import GROUPS
from .setup import Setup
from .table import Table


def run_benchmark(setup: Setup, names: Sequence[str], seconds: float) -> list[Table]:
    """Measure; an interrupt (Ctrl-C) keeps what has been measured.

    Args:
        setup: What the cases share.
        names: Of :data:`GROUPS`.
        seconds: How long to measure each table, once its cases are warm; at least 3 rounds.

    Returns:
        The tables that have figures.
    """
    tables: list[Table] = []
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)  # what networks say of themselves belongs in no table
    with suppress(KeyboardInterrupt):
        for name in names:
            for table in GROUPS[name](setup):
                tables.append(table)
                for _ in tqdm(table.measure(seconds), desc=table.title, unit='step', leave=False):
                    pass
    logger.setLevel(level)
    return [table for table in tables if table.rounds and table.rounds[0]]
