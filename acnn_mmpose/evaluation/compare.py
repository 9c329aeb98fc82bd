"""One table of the last evaluations of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import ACNNError
from .table import TableRow, read_table


def compare_runs(work_dirs: Sequence[str], measure: str = 'PCKh@0.5') -> list[TableRow]:
    """Collect what each run's last evaluation says of its prediction.

    Args:
        work_dirs: Folders of runs, in which :class:`PCKhTableHook` saved its tables.
        measure: ``PCKh@0.5``, ``PCKh@0.1`` or ``AUC``.

    Returns:
        One row per run, named after its folder.

    Raises:
        ACNNError: If a folder holds no table.
    """
    rows = []
    for work_dir in map(Path, work_dirs):
        tables = sorted(work_dir.glob('*/pckh_*.json'), key=lambda path: path.stat().st_mtime)
        if not tables:
            raise ACNNError(
                f'{work_dir} holds no table of PCKh (*/pckh_*.json), which an evaluation by '
                'MpiiPCKhTable writes: train or test there with --work-dir and that metric'
            )
        rows += [
            row._replace(method=work_dir.name)
            for row in read_table(tables[-1])
            if (row.method, row.measure) == ('prediction', measure)
        ]
    return rows
