"""Tables as text, ratios first, and as json."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from studies.machine import name_cpu

import torch
from tabulate import tabulate

from .table import PRECISIONS, Case, Table, yardstick

COLUMNS = {  # key of a figure: heading, in which {} is what is counted, and format
    'pckh': ('PCKh@0.5', '{:.2f}'),
    'pckh_sd': ('±', '{:.2f}'),
    'kept': ('kept', '{:.0%}'),
    'speedup': ('speed', '{:.2f}x'),
    'milliseconds': ('ms/{}', '{:.1f}'),
    'per_second': ('{}s/s', '{:.1f}'),
    'gflops': ('GFLOPs/{}', '{:.1f}'),
    'gflops_per_second': ('GFLOP/s', '{:.0f}'),
    'share_of_peak': ('of peak', '{:.0%}'),
    'memory': ('memory', '{:.2f}x'),
    'megabytes': ('MB', '{:.0f}'),
}


def describe_machine(device: str) -> str:
    """Name processor, threads and torch in one line."""
    threads = torch.get_num_threads()
    words = [name_cpu(), f'{threads} thread{"s" * (threads > 1)}', f'torch {torch.__version__}']
    if torch.device(device).type == 'cuda':
        words.insert(0, torch.cuda.get_device_name(device))
    return ', '.join(words)


def to_text(table: Table) -> str:
    """Write a table for people."""
    rows = {case.name: _figures(table, case) for case in _measured(table)}
    peaks = {name: rows.pop(name) for name in map(yardstick, PRECISIONS) if name in rows}
    keys = [key for key in COLUMNS if any(key in row for row in rows.values())]
    rounds = f' (median of {len(table.rounds)} rounds)' if table.unit == 's' else ''
    lines = [table.title + rounds]
    header = ['', *(COLUMNS[key][0].format(table.per) for key in keys)]
    cells = [
        [name, *(COLUMNS[key][1].format(row[key]) if key in row else '' for key in keys)]
        for name, row in rows.items()
    ]
    sides = ['left', *['right'] * len(keys)]
    lines.append(tabulate(cells, header, 'plain', disable_numparse=True, colalign=sides))
    lines += [f'{name}: {row["gflops_per_second"]:.0f} GFLOP/s' for name, row in peaks.items()]
    for told in _compare(table):
        without = f', both without {told["without"]}' if told['without'] else ''
        lines.append(
            f'{told["name"]} takes {told["time"]:.3f}x the time of {told["other"]}{without}'
        )
    for name, parts in table.parts.items():
        figures = ', '.join(f'{part} {ms:.2f}' for part, ms in _median_parts(parts).items())
        lines.append(f'{name}, ms: {figures}')
    return '\n'.join(lines)


def to_json(tables: Sequence[Table], device: str) -> dict[str, Any]:
    """Write the tables for scripts: what the text says, and the figures of every round."""
    return dict(
        machine=describe_machine(device),
        tables=[
            dict(
                title=table.title,
                unit=table.unit,
                per=table.per,
                cases={case.name: _figures(table, case) for case in _measured(table)},
                comparisons=_compare(table),
                parts_ms={name: _median_parts(parts) for name, parts in table.parts.items()},
                rounds=table.rounds,
            )
            for table in tables
        ],
    )


def _measured(table: Table) -> list[Case]:
    return [case for case in table.cases if case.name in table.rounds[0]]


def _figures(table: Table, case: Case) -> dict[str, float]:
    """Compute a row of a table; its keys are those of :data:`COLUMNS`."""
    typical = table.typical(case.name)
    first = table.cases[0].name
    if table.unit == 'byte':
        return dict(memory=table.ratio(case.name, first), megabytes=typical / 1e6)
    figures = dict(
        table.scores.get(case.name, {}),
        speedup=table.ratio(first, case.name),
        milliseconds=1000 * typical / case.count,
        per_second=case.count / typical,
    )
    if case.dtype is not None:
        peak = yardstick(case.dtype)
        flops = table.flops[case.name]
        figures['gflops'] = flops / case.count / 1e9
        figures['gflops_per_second'] = flops / typical / 1e9
        if peak in table.flops:
            figures['share_of_peak'] = flops / table.flops[peak] * table.ratio(peak, case.name)
    return figures


def _compare(table: Table) -> list[dict[str, Any]]:
    """Compute the comparisons whose cases have been measured."""
    measured = {case.name for case in _measured(table)}
    return [
        dict(comparison._asdict(), time=table.ratio(*comparison))
        for comparison in table.comparisons
        if set(comparison) <= {*measured, None}
    ]


def _median_parts(parts: dict[str, list[float]]) -> dict[str, float]:
    """Return the median milliseconds of every part."""
    return {name: 1000 * median(seconds) for name, seconds in parts.items()}
