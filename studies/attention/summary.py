"""The lines of an experiment, gathered by variant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import mean, stdev
from typing import Any, NamedTuple

from acnn_mmpose.errors import ACNNError

from .plan import Plan
from .results import data_of, is_of
from .steps import last_key

Line = dict[str, Any]
FINAL = 'prediction'  # the row of the last stage


class Spread(NamedTuple):
    """Mean and sample standard deviation over seeds; no deviation of a single one."""

    mean: float
    deviation: float | None

    def __str__(self) -> str:
        deviation = '' if self.deviation is None else f' ± {self.deviation:.2f}'
        return f'{self.mean:.2f}{deviation}'


def spread(values: Iterable[float]) -> Spread:
    """Compute mean and deviation of at least one value."""
    values = list(values)
    return Spread(mean(values), stdev(values) if len(values) > 1 else None)


def lines_by_variant(plan: Plan, lines: Sequence[Line]) -> dict[str, dict[int, Line]]:
    """Sort lines by the plan's variants, then by seed.

    Lines of runs that the plan no longer has, or whose configs have changed since
    (:func:`.results.is_of`), are left out; of two lines of one run the later holds.

    Raises:
        ACNNError: If the lines are not all of the same data.
    """
    if len(set(map(data_of, lines))) > 1:
        names = sorted({line['train_data']['name'] for line in lines})
        raise ACNNError(
            f'the lines of experiment {plan.name!r} are of more than one data set '
            f'({", ".join(names)}): move those of one of them to another folder'
        )
    runs = {(run.variant, run.seed): run for run in plan.runs()}
    found: dict[str, dict[int, Line]] = {variant: {} for variant in plan.variants}
    for line in lines:
        run = runs.get((line['variant'], line['seed']))
        if run and is_of(line, run, last_key(plan, run, data_of(line)[0])):
            found[run.variant][run.seed] = line
    return {variant: dict(sorted(by_seed.items())) for variant, by_seed in found.items()}


def score(line: Line, column: str = 'Total', measure: str = 'PCKh@0.5') -> float:
    """Read a figure of the last stage's prediction, in percent; NaN where nothing was labelled."""
    value = line['scores'][measure][FINAL][column]
    return math.nan if value is None else value


def gains(of: dict[int, Line], over: dict[int, Line]) -> list[float]:
    """Compare two variants seed by seed: by how much Total is larger, in points."""
    return [score(of[seed]) - score(over[seed]) for seed in of if seed in over]
