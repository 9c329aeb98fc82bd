from __future__ import annotations

import os

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation import compare_runs, published_rows, save_table
from acnn_mmpose.evaluation.table import read_table

import pytest


def table(total: float) -> list:
    """A table whose prediction scores ``total``, with a stage's row below."""
    row = published_rows()[0]
    row = row._replace(scores=row.scores._replace(total_weighted=total))
    return [
        row._replace(method='prediction', measure='PCKh@0.5'),
        row._replace(method='prediction', measure='AUC'),
        row._replace(method='stage 1, P(1)', measure='PCKh@0.5'),
    ]


def test_a_saved_table_reads_back(tmp_path):
    save_table(table(61.25), tmp_path / 'pckh')
    first, *_ = read_table(tmp_path / 'pckh.json')
    assert first.scores.total_weighted == 61.25
    assert first.scores.groups == table(0)[0].scores.groups
    assert first.scores.mean_unweighted != first.scores.mean_unweighted  # unknown: NaN


def test_the_last_evaluation_of_each_run_counts(tmp_path):
    for run, totals in (('a', (10, 20)), ('b', (40, 30))):
        for i, total in enumerate(totals):
            stem = tmp_path / run / f'log{i}' / 'pckh_epoch_1'
            save_table(table(total), stem)
            os.utime(stem.with_suffix('.json'), (i, i))
    rows = compare_runs([str(tmp_path / 'a'), str(tmp_path / 'b')])
    assert [(row.method, row.scores.total_weighted) for row in rows] == [('a', 20), ('b', 30)]


def test_a_run_without_an_evaluation_is_named(tmp_path):
    with pytest.raises(ACNNError, match=r'holds no table of PCKh .*MpiiPCKhTable.*--work-dir'):
        compare_runs([str(tmp_path)])


@pytest.mark.parametrize('text', ['', '[1]', '[{"method": "x"}]', '{}x', '[' * 100_000])
def test_another_json_is_refused(tmp_path, text):
    (tmp_path / 't.json').write_text(text)
    with pytest.raises(ACNNError, match=r't.json (is not a table|can not be read as json)'):
        read_table(tmp_path / 't.json')
