"""What is compared, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from .memory import measure_peaks
from .timing import interleave

PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


def spell(dtype: torch.dtype) -> str:
    """Name a precision, for example ``'float32'``."""
    return str(dtype).rpartition('.')[2]


def yardstick(dtype: torch.dtype) -> str:
    """Name the case that measures the machine's peak in a precision: a large matrix product."""
    return f'matrix product, {spell(dtype)}'


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Attributes:
        name: As the table shows it, unique there.
        build: Prepares it and returns the function to measure. Picklable where the table measures
            memory, which takes a process per case.
        count: How many images one call handles, or whatever the table counts.
        dtype: The precision that its convolutions compute in; None without convolutions.
        counts_as: An earlier case that computes the same, where its operations can't be counted.
    """

    name: str
    build: Callable[[], Callable[[], Any]]
    count: int = 1
    dtype: torch.dtype | None = None
    counts_as: str | None = None


class Comparison(NamedTuple):
    """Two cases of a table whose ratio is worth a sentence.

    Attributes:
        name: The case that it is about.
        other: What it is compared with.
        without: A case that is a part of both, to be left out; None: none.
    """

    name: str
    other: str
    without: str | None = None


@dataclass
class Table:
    """Cases that are measured in turn; the first is what the others' ratios are of.

    Attributes:
        title: What is measured.
        cases: The cases.
        device: Where they compute.
        per: What the figures are per: an image, a step.
        unit: ``'s'`` measures time, ``'byte'`` peak memory.
        comparisons: Further ratios to tell.
        rounds: Per round the figure of every case, in that unit.
        flops: Per case the floating-point operations of a call.
        parts: Per case that gives them, per part of it the seconds of each call.
        scores: Per case that gives them, how good its results are, for columns of the report.
    """

    title: str
    cases: Sequence[Case]
    device: str
    per: str = 'image'
    unit: str = 's'
    comparisons: Sequence[Comparison] = ()
    rounds: list[dict[str, float]] = field(default_factory=list)
    flops: dict[str, int] = field(default_factory=dict)
    parts: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)

    def measure(self, seconds: float) -> Iterator[None]:
        """Measure, round by round; what earlier rounds found is kept if a later one is cut off.

        Args:
            seconds: How long to measure time, after each case has been called once.
        """
        if self.unit == 'byte':
            builds = {case.name: case.build for case in self.cases}
            peaks = measure_peaks(builds, self.device)
            self.rounds.append({})
            for name, peak in peaks:
                self.rounds[0][name] = peak
                yield
            return
        runs = {}
        for case in self.cases:
            runs[case.name] = run = case.build()
            self.flops[case.name], result = self._warm_up(run, case.counts_as)
            if hasattr(run, 'parts'):
                self.parts[case.name] = run.parts
            if hasattr(run, 'score'):
                self.scores[case.name] = run.score(result)
            yield
        for figures in interleave(runs, seconds, self.device):
            self.rounds.append(figures)
            yield

    def _warm_up(self, run: Callable[[], Any], counts_as: str | None) -> tuple[int, Any]:
        """Call a case for the first time: its operations, a multiply-add being two, and result."""
        if counts_as is not None:
            return self.flops[counts_as], run()
        with FlopCounterMode(display=False) as counter:
            result = run()
        return counter.get_total_flops(), result

    def ratio(self, name: str, other: str, without: str | None = None) -> float:
        """Compute how many times the figure of one case is that of another: median over rounds.

        Arguments as the attributes of :class:`Comparison`.
        """

        def part(figures: dict[str, float]) -> float:
            return figures[without] if without else 0

        return median((f[name] - part(f)) / (f[other] - part(f)) for f in self.rounds)

    def typical(self, name: str) -> float:
        """Compute the median figure of a case."""
        return median(figures[name] for figures in self.rounds)
