"""`python -m studies.attention` and `python -m studies.speed`, run as a user runs them."""

from __future__ import annotations

import json

import pytest

from tests.commands import run_here
from tests.conftest import ROOT


@pytest.fixture
def run(toy_root, capfd):
    """Run a study from the root of the repository: run('speed', ...)."""
    return lambda study, *args: run_here(
        capfd, ROOT, f'studies.{study}', *args, ACNN_DATA_ROOT=toy_root
    )


def test_speed_prints_tables_and_writes_json(run, tmp_path):
    options = ['--only', 'parts', '--seconds', 0, '--json', tmp_path / 'out.json']
    done = run('speed', 'configs/toy/acnn_toy_phase3.py', *options)
    assert done.returncode == 0, done.stderr[-3000:]
    _, _, tables = done.stdout.partition(' thread')  # reading the config says which data it takes
    assert 'one tensor after the other' in tables
    assert 'mmengine' not in tables
    titles = [table['title'] for table in json.loads((tmp_path / 'out.json').read_text())['tables']]
    assert titles == ['Figures to log in a training step', 'Optimizer step']


@pytest.mark.parametrize(
    ('args', 'sentence'),
    [
        (['--json', '/dev/null/o.json'], 'the folder of --json /dev/null can not be made'),
        (['configs/toy/acnn_toy_phase1.py'], 'give the config of phase 3, such as'),
    ],
)
def test_bad_input_of_speed_ends_in_one_sentence(run, args, sentence):
    done = run('speed', *args)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert 'Traceback' not in done.stderr


def test_attention_needs_a_thread(run):
    done = run('attention', 'status', 'studies/attention/plans/masks.py', '--threads', 0)
    assert done.returncode == 2
    assert done.stderr.endswith('error: --threads must be at least 1, but is 0\n')
