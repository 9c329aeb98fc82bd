"""Configs of data sets: those within MMEngine's and MMPose's wrappers, and their pipelines."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ACNNError


def inner_datasets(dataset: Any) -> Iterator[Any]:
    """Yield a data set, or its config, and those within it if it is a wrapper of MMEngine's."""
    yield dataset
    for inner in _directly_within(dataset):
        yield from inner_datasets(inner)


def leaf_datasets(dataset: Any) -> list[Any]:
    """List the data sets that read annotations, which wrappers do not."""
    return [each for each in inner_datasets(dataset) if not _directly_within(each)]


def whole_pipelines(dataset: Any, after: Sequence[Any] = ()) -> Iterator[list[Any]]:
    """Yield each config of a leaf's own transforms and its wrappers', then those ``after``."""
    pipeline = [*(getattr(dataset, 'pipeline', None) or ()), *after]
    inner = _directly_within(dataset)
    for each in inner:
        yield from whole_pipelines(each, pipeline)
    if not inner:
        yield pipeline


def leave_out_unused(dataset: Any) -> None:
    """Take out of a config of combined data sets those of which no sample is shown.

    MMPose would read them. A ``sample_ratio_factor`` must be one ratio per data set, not all 0.
    """
    for each in inner_datasets(dataset):
        ratios = getattr(each, 'sample_ratio_factor', None)
        if ratios is None:
            continue
        try:
            fits = len(ratios) == len(each.datasets) and min(ratios) >= 0 and any(ratios)
        except TypeError:  # no list, or not of numbers
            fits = False
        if not fits:
            raise ACNNError(
                f'sample_ratio_factor is {ratios}, but must be {len(each.datasets)} numbers, one '
                'per data set: 0 leaves one out, and one must be above 0'
            )
        pairs = [(inner, ratio) for inner, ratio in zip(each.datasets, ratios) if ratio]
        each.datasets, each.sample_ratio_factor = map(list, zip(*pairs))


def _directly_within(dataset: Any) -> list[Any]:
    inner = (getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', []))
    return [each for each in inner if each is not None]


def with_codec(pipeline: Sequence[dict[str, Any]], codec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a pipeline that crops and encodes for another codec, so that no config repeats one."""
    fitted = copy.deepcopy(list(pipeline))
    fast = {'MSRAHeatmap': 'FastMSRAHeatmap'}
    encoder = {**codec, 'type': fast.get(codec['type'], codec['type'])}
    for transform in fitted:
        if 'input_size' in transform:
            transform['input_size'] = codec['input_size']
        if 'encoder' in transform:
            transform['encoder'] = encoder
    return fitted
