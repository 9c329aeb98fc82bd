"""Data sets within MMEngine's and MMPose's wrappers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def inner_datasets(dataset: Any) -> Iterator[Any]:
    """Yield a data set, and those within it where it is one of MMEngine's or MMPose's wrappers.

    Args:
        dataset: The data set, or its config.
    """
    yield dataset
    for inner in _directly_within(dataset):
        yield from inner_datasets(inner)


def leaf_datasets(dataset: Any) -> list[Any]:
    """List the data sets that read annotations, which wrappers do not; arguments as above."""
    return [each for each in inner_datasets(dataset) if not _directly_within(each)]


def _directly_within(dataset: Any) -> list[Any]:
    inner = (getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', []))
    return [each for each in inner if each is not None]
