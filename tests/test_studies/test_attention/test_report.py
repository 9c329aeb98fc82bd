from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys

from acnn_mmpose.errors import ACNNError
from studies.attention import write_report
from studies.attention.results import read_lines
from studies.attention.steps import prepare
from studies.attention.summary import gains, lines_by_variant, spread

import pytest

from tests.conftest import ROOT

PAGE = """Before.

<!-- results: tiny -->
old
<!-- end: tiny -->

Verdict: by hand.
"""


@pytest.fixture
def page(tmp_path):
    path = tmp_path / 'docs/page.md'
    path.parent.mkdir()
    path.write_text(PAGE)
    return path


@pytest.fixture
def lines(plan, finished) -> list[dict]:
    """Three variants with seed 0, and two of these with a seed 1 that scores otherwise."""
    measured = read_lines(finished / 'tiny.jsonl')
    for line, total in zip(measured, (40.0, 42.0, 43.0)):
        line['scores']['PCKh@0.5']['prediction']['Total'] = total
    more = copy.deepcopy(measured[:2])
    for line, total in zip(more, (41.0, 45.0)):
        line['seed'] = 1
        (run,) = plan.runs([1], [line['variant']])
        line['key'] = prepare(plan, run, 'unused')[-1].key
        line['scores']['PCKh@0.5']['prediction']['Total'] = total
    return measured + more


def save(lines, folder):
    folder.mkdir(exist_ok=True)
    (folder / 'tiny.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))


def table_rows(text):
    """The rows of a page's tables, as cells."""
    lines = [line for line in text.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def test_spread_is_mean_and_sample_deviation():
    assert spread([1.0, 2.0, 6.0]) == (3.0, pytest.approx(7**0.5))
    assert (str(spread([1.0, 2.0, 6.0])), str(spread([2.5]))) == ('3.00 ± 2.65', '2.50')


def test_gains_compare_the_same_seed(plan, lines):
    sorted_lines = lines_by_variant(plan, lines)
    assert gains(sorted_lines['acnn'], sorted_lines['hourglass']) == [2.0, 4.0]
    assert gains(sorted_lines['bias_4'], sorted_lines['hourglass']) == [3.0]


def test_lines_of_other_plans_are_left_out_and_the_last_of_two_holds(plan, lines):
    other_plan, other_config, again = (copy.deepcopy(lines[1]) for _ in range(3))
    other_plan['phases'][0]['epochs'] = 2
    other_config['key'] = 'of weights that the configs no longer make'
    again['train_data']['name'] = 'the same people in another folder'
    found = lines_by_variant(plan, [*lines, again, other_plan, other_config])
    assert {variant: list(by_seed) for variant, by_seed in found.items()} == {
        'hourglass': [0, 1],
        'acnn': [0, 1],
        'bias_4': [0],
    }
    assert found['acnn'][0] is again


def test_lines_of_two_data_sets_are_refused(plan, lines):
    other = copy.deepcopy(lines[0])
    other['val_data']['sha256'] = 'x'
    other['train_data']['name'] = 'others'
    with pytest.raises(ACNNError, match=r'more than one data set \(others, '):
        lines_by_variant(plan, [*lines, other])


def test_the_page_gets_tables_and_figures_and_keeps_the_rest(plan, lines, page):
    assert 'people' in lines[1]
    lines[1]['people'] = [dict(mask=['09' * 8] * 16, joints=[[1, 2]] * 16)] * 2
    results = page.parent / 'results'
    save(lines, results)
    write_report([plan], results, page)
    text = page.read_text()
    assert text.startswith('Before.')
    assert text.endswith('Verdict: by hand.\n')
    assert 'old' not in text
    assert '24 people to train, 8 to validate; 3 epochs per run' in text
    rows = table_rows(text)
    (hourglass, acnn, bias), *_ = zip(*[iter(r for r in rows if len(r) == 7 and r[1] in '12')] * 3)
    assert hourglass[:4] == ['the hourglass', '2', '40.50 ± 0.71', '']
    assert acnn[:4] == ['ACNN', '2', '43.50 ± 2.12', '3.00 ± 1.41']
    assert bias[:4] == ['bias 4', '1', '43.00', '3.00']
    assert ['ACNN', 'M(1)'] in [row[:2] for row in rows]
    assert 'Not run yet: bias 4 (seeds 1).' in text
    for kind in plan.figures:
        assert f'![tiny: {kind}](results/tiny_{kind}.png)' in text
        assert (results / f'tiny_{kind}.png').stat().st_size > 1000
    first = {path.name: path.read_bytes() for path in results.iterdir()}
    write_report([plan], results, page)
    assert page.read_text() == text
    assert {path.name: path.read_bytes() for path in results.iterdir()} == first


def test_a_variant_may_be_compared_with_another_than_the_first(plan, lines, page):
    plan.over['bias_4'] = 'acnn'
    save(lines, page.parent / 'results')
    write_report([plan], page.parent / 'results', page)
    rows = [row[:4] for row in table_rows(page.read_text())]
    assert ['bias 4', '1', '43.00', '1.00'] in rows
    assert 'gain: over "the hourglass", seed by seed; of "bias 4": over "ACNN".' in page.read_text()


def test_figures_of_changed_code_are_marked(plan, lines, page):
    lines[0]['pieces'][0][0]['commit'] = f'{"a" * 40}-dirty'
    lines[1]['pieces'][0][0]['commit'] = 'b' * 40
    save(lines, page.parent / 'results')
    write_report([plan], page.parent / 'results', page)
    (source,) = (text for text in page.read_text().splitlines() if 'commits' in text)
    assert {f'{"a" * 12}-dirty', 'b' * 12} <= set(re.findall(r'[0-9a-f]{12}(?:-dirty)?', source))
    assert 'b' * 13 not in source


def test_figures_of_an_earlier_layout_are_marked(plan, lines, page):
    del lines[1]['layout']
    save(lines, page.parent / 'results')
    write_report([plan], page.parent / 'results', page)
    assert '1 of 5 runs are of an earlier layout of the configs' in page.read_text()


def test_what_was_not_run_is_said_so(plan, page):
    write_report([plan], page.parent / 'results', page)
    assert '<!-- results: tiny -->\n\nNot run yet.\n\n<!-- end: tiny -->' in page.read_text()


@pytest.mark.parametrize('text', [None, 'no section', '<!-- results: tiny --> without end'])
def test_a_page_without_the_section_is_refused(plan, page, text):
    page.unlink() if text is None else page.write_text(text)
    with pytest.raises(ACNNError, match=r'does not exist|has no section for tiny: add lines'):
        write_report([plan], page.parent / 'results', page)


def test_the_tool_runs_what_is_left_and_says_so(finished, tmp_path):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)

    options = ['--work-dir', str(tmp_path / 'phases'), '--results', str(tmp_path), '--minutes', '0']
    done = subprocess.run(
        [sys.executable, '-m', 'studies.attention', 'run', str(tmp_path / 'tiny.py'), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'acnn, seed 0: was finished' in done.stdout + done.stderr
    assert '3 runs are not finished: the same command goes on' in done.stdout
