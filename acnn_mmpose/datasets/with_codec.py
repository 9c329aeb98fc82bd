"""Pipelines of one config, made for another."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any


def with_codec(pipeline: Sequence[dict[str, Any]], codec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a pipeline that crops and encodes for another codec, so that no config repeats one.

    Args:
        pipeline: Configs of transforms.
        codec: Config of the codec, whose ``input_size`` (width, height) and targets are taken
            wherever the pipeline has others.
    """
    fitted = copy.deepcopy(list(pipeline))
    fast = {'MSRAHeatmap': 'FastMSRAHeatmap'}
    encoder = {**codec, 'type': fast.get(codec['type'], codec['type'])}
    for transform in fitted:
        if 'input_size' in transform:
            transform['input_size'] = codec['input_size']
        if 'encoder' in transform:
            transform['encoder'] = encoder
    return fitted
