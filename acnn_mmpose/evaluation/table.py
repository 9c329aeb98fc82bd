"""The paper's Table 1 as text, Markdown and json."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import explained
from ..files import read_json, write_together
from .pckh import JOINT_GROUPS, Scores

TOTALS = ('Total', 'Mean14')
LEGEND = (
    'Total: total_weighted, over the 14 scored joints, weighted by joint count',
    'Mean14: mean_unweighted, plain mean of the 14 scored joints',
    'AUC: area under the PCKh curve, the mean of PCKh@t over t from 0 to 0.5',
)
PUBLISHED = 'MPII test set, as published'


class TableRow(NamedTuple):
    """A row: whose prediction, which measure, which numbers."""

    method: str
    measure: str
    scores: Scores


# Table 1 of the paper
_TABLE_1 = {
    "Tompson et al., CVPR'15": (96.1, 91.9, 83.9, 77.8, 80.9, 72.3, 64.8, 82.0),
    "Pishchulin et al., CVPR'16": (94.1, 90.2, 83.4, 77.3, 82.6, 75.7, 68.6, 82.4),
    "Lifshitz et al., ECCV'16": (97.8, 93.3, 85.7, 80.4, 85.3, 76.6, 70.2, 85.0),
    "Gkioxary et al., ECCV'16": (96.2, 93.1, 86.7, 82.1, 85.2, 81.4, 74.1, 86.1),
    "Rafi et al., BMVC'16": (97.2, 93.9, 86.4, 81.3, 86.8, 80.6, 73.4, 86.3),
    "Wei et al., CVPR'16": (97.8, 95.0, 88.7, 84.0, 88.4, 82.8, 79.4, 88.5),
    "Insafutdinov et al., ECCV'16": (96.8, 95.2, 89.3, 84.4, 88.4, 83.4, 78.0, 88.5),
    "Newell et al., ECCV'16": (98.2, 96.3, 91.2, 87.1, 90.1, 87.4, 83.6, 90.9),
    "Luvizon et al., arXiv'17": (98.1, 96.6, 92.0, 87.5, 90.6, 88.0, 82.7, 91.2),
    "Ning et al., TMM'17": (98.1, 96.3, 92.2, 87.8, 90.6, 87.6, 82.7, 91.2),
    "Chu et al., CVPR'17": (98.5, 96.3, 91.9, 88.1, 90.6, 88.0, 85.0, 91.5),
    "Chou et al., arXiv'17": (98.2, 96.8, 92.2, 88.0, 91.3, 89.1, 84.9, 91.8),
    "Chen et al., ICCV'17": (98.1, 96.5, 92.5, 88.5, 90.2, 89.6, 86.0, 91.9),
    "Yang et al., ICCV'17": (98.5, 96.7, 92.5, 88.7, 91.1, 88.6, 86.0, 92.0),
    'ACNN (paper)': (98.5, 96.4, 92.5, 88.5, 91.6, 88.9, 85.9, 92.0),
}


def published_rows() -> list[TableRow]:
    """Return the rows of the paper's Table 1, whose measure says where they were measured."""
    return [
        TableRow(
            method,
            f'PCKh@0.5 ({PUBLISHED})',
            Scores(dict(zip(JOINT_GROUPS, numbers)), numbers[-1], math.nan),
        )
        for method, numbers in _TABLE_1.items()
    ]


def format_text(rows: Sequence[TableRow]) -> str:
    """Format a table for a terminal."""
    return '\n'.join([*map('  '.join, _align(rows)), *LEGEND])


def save_table(rows: Sequence[TableRow], stem: Path) -> None:
    """Write ``stem`` with the endings .json, at full precision, and .md, both or none."""
    header, *lines = [f'| {" | ".join(cells)} |' for cells in _align(rows)]
    rule = '| --- | --- |' + ' ---: |' * (len(JOINT_GROUPS) + len(TOTALS))
    legend = [f'- {line}' for line in LEGEND]
    write_together(
        {
            f'{stem}.json': json.dumps([_record(row) for row in rows], indent=2) + '\n',
            f'{stem}.md': '\n'.join([header, rule, *lines, '', *legend, '']),
        }
    )


def read_table(path: Path) -> list[TableRow]:
    """Read a table that :func:`save_table` wrote as json."""
    records = read_json(path, 'evaluate again')
    with explained(f'{path} is not a table of an evaluation', 'evaluate again'):
        return [
            TableRow(
                record['method'],
                record['measure'],
                Scores(
                    {name: _number(record[name]) for name in JOINT_GROUPS},
                    _number(record['total_weighted']),
                    _number(record['mean_unweighted']),
                ),
            )
            for record in records
        ]


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _record(row: TableRow) -> dict:
    numbers = {
        **row.scores.groups,
        'total_weighted': row.scores.total_weighted,
        'mean_unweighted': row.scores.mean_unweighted,
    }
    return {
        'method': row.method,
        'measure': row.measure,
        # json knows no NaN
        **{name: None if math.isnan(number) else number for name, number in numbers.items()},
    }


def _align(rows: Sequence[TableRow]) -> Iterator[list[str]]:
    """Give the cells of a header and of each row, as wide as their column, numbers to the right."""
    table = [['Method', 'Measure', *JOINT_GROUPS, *TOTALS], *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table)]
    for cells in table:
        sides = [str.ljust] * 2 + [str.rjust] * (len(cells) - 2)
        yield [side(cell, width) for side, cell, width in zip(sides, cells, widths)]


def _cells(row: TableRow) -> list[str]:
    method, measure, *numbers = _record(row).values()
    digits = 1 if PUBLISHED in measure else 3
    return [method, measure, *('-' if n is None else f'{n:.{digits}f}' for n in numbers)]
