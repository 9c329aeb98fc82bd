from __future__ import annotations

import json

from acnn_mmpose.evaluation.pckh import JOINT_GROUPS, evaluate_pckh
from acnn_mmpose.evaluation.table import (
    TableRow,
    format_text,
    published_rows,
    save_table,
)

import numpy as np
import pytest


@pytest.fixture
def scores():
    """Four people, head size 10: ankles off by 4, head by 0.5, the rest by 20, pelvis exact."""
    labels = np.zeros((4, 16, 2))
    predicted = np.full((4, 16, 2), (20.0, 0.0))
    predicted[:, (0, 5)] = (0, 4)
    predicted[:, 9] = (0.5, 0)
    predicted[:, (6, 7)] = 0
    labelled = np.ones((4, 16), bool)
    labelled[:3, 9] = False  # one head in four is labelled
    labelled[:, 2] = False
    return evaluate_pckh(predicted, labels, labelled, np.full((4, 1), 10.0))


def test_groups_and_both_totals(scores):
    half = scores['PCKh@0.5']
    assert {name: half.groups[name] for name in ('Head', 'Ank.', 'Elb.')} == {
        'Head': 100,
        'Ank.': 100,
        'Elb.': 0,
    }
    assert np.isnan(half.groups['Hip'])  # the right one is never labelled
    assert half.total_weighted == pytest.approx(100 * (4 + 4 + 1) / (12 * 4 + 1))
    assert half.mean_unweighted == pytest.approx(100 * 3 / 13)
    tenth = scores['PCKh@0.1']
    assert (tenth.groups['Head'], tenth.groups['Ank.']) == (100, 0)


def test_area_under_the_curve(scores):
    # correct where t > 0.4, and t > 0.05: the curve steps up between two thresholds 0.01 apart
    assert scores['AUC'].groups['Ank.'] == pytest.approx(100 * (0.5 - 0.405) / 0.5, abs=0.01)
    assert scores['AUC'].groups['Head'] == pytest.approx(100 * (0.5 - 0.055) / 0.5, abs=0.01)
    assert scores['AUC'].groups['Elb.'] == 0


def test_head_box_without_size_counts_nowhere():
    """MMPose's function marks such people by a change in place, which must not reach the caller."""
    heads = np.array([[0.0], [10.0]])
    predicted = np.zeros((2, 16, 2))
    predicted[1] = 20
    scores = evaluate_pckh(predicted, np.zeros((2, 16, 2)), np.ones((2, 16), bool), heads)
    assert scores['PCKh@0.1'].total_weighted == scores['PCKh@0.5'].total_weighted == 0
    assert heads.tolist() == [[0.0], [10.0]]


def test_nobody_labelled():
    scores = evaluate_pckh(
        np.zeros((1, 16, 2)), np.zeros((1, 16, 2)), np.zeros((1, 16), bool), np.ones((1, 1))
    )
    assert np.isnan(scores['PCKh@0.5'].total_weighted)


@pytest.fixture
def rows(scores):
    return [TableRow('prediction', measure, scores[measure]) for measure in scores]


def test_text_is_aligned_and_marks_what_is_published(rows):
    header, *lines = format_text([*rows, *published_rows()]).splitlines()
    assert header.split() == ['Method', 'Measure', *JOINT_GROUPS, 'Total', 'Mean14']
    assert len(lines) == 3 + 15 + 3  # ours, the paper's, the legend
    assert {len(line) for line in lines[:-3]} == {len(header)}
    assert lines[0].index('100.000') + len('100.000') == header.index('Head') + len('Head')
    assert lines[0].split()[2] == '100.000'
    assert all('PCKh@0.5 (MPII test set, as published)' in line for line in lines[3:18])
    assert lines[17].split()[-3:] == ['85.9', '92.0', '-']
    assert 'weighted by joint count' in lines[-3]
    assert 'plain mean of the 14 scored joints' in lines[-2]


def test_files_hold_full_precision(rows, tmp_path):
    save_table(rows, tmp_path / 'new' / 'pckh_epoch_1.5')
    saved = {path.suffix: path.read_text() for path in (tmp_path / 'new').iterdir()}
    assert set(saved) == {'.json', '.md'}
    records = json.loads(saved['.json'])
    assert records[0]['total_weighted'] == rows[0].scores.total_weighted
    assert records[0]['Hip'] is None
    lines = saved['.md'].splitlines()
    assert [cell.strip() for cell in lines[0].split('|')][1:4] == ['Method', 'Measure', 'Head']
    assert lines[1].startswith('| --- | --- | ---: |')
    cells = [cell.strip() for cell in lines[2].split('|')]
    assert cells[1:4] == ['prediction', 'PCKh@0.5', '100.000']
