"""The lines of an experiment, gathered by variant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import mean, stdev
from typing import Any, NamedTuple

from .plan import Plan
from .results import data_of

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

    Lines of other data than the last line's, or of phases that the plan no longer has, are left
    out; of two lines of one run the later holds.
    """
    found: dict[str, dict[int, Line]] = {variant: {} for variant in plan.variants}
    declared = {run.variant: run.declared() for run in plan.runs(plan.seeds[:1])}
    for line in lines:
        same_data = data_of(line) == data_of(lines[-1])
        if same_data and declared.get(line['variant']) == line['phases']:
            found[line['variant']][line['seed']] = line
    return {variant: dict(sorted(by_seed.items())) for variant, by_seed in found.items()}


def score(line: Line, column: str = 'Total', measure: str = 'PCKh@0.5') -> float:
    """Read a figure of the last stage's prediction, in percent; NaN where nothing was labelled."""
    value = line['scores'][measure][FINAL][column]
    return math.nan if value is None else value


def gains(of: dict[int, Line], over: dict[int, Line]) -> list[float]:
    """Compare two variants seed by seed: by how much Total is larger, in points."""
    return [score(of[seed]) - score(over[seed]) for seed in of if seed in over]
