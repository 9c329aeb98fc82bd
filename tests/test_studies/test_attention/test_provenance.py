from __future__ import annotations

import json
import shutil
import subprocess

from studies.attention.provenance import describe_data, find_commit

import pytest
from mmengine.config import ConfigDict


@pytest.mark.skipif(shutil.which('git') is None, reason='needs git')
def test_results_do_not_make_a_commit_dirty_but_code_does(tmp_path):
    def git(*args):
        names = ['-c', 'user.name=n', '-c', 'user.email=e']
        command = ['git', '-C', str(tmp_path), *names, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git('init')
    for folder in ('acnn_mmpose', 'configs', 'docs'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'file').write_text('1')
    git('add', '.')
    git('commit', '-m', 'm')
    commit = git('rev-parse', 'HEAD')
    (tmp_path / 'docs/file').write_text('2')
    assert find_commit(tmp_path) == commit
    (tmp_path / 'configs/new').write_text('1')
    assert find_commit(tmp_path) == f'{commit}-dirty'


def test_without_git_the_environment_names_the_commit(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert find_commit(tmp_path) == 'unknown'
    monkeypatch.setenv('ACNN_COMMIT', 'abc')
    assert find_commit(tmp_path) == 'abc'


def test_data_are_told_apart_by_their_annotations_wherever_they_lie(tmp_path):
    described = []
    for name, people in (('a/data', 2), ('b/data', 2), ('c/data', 3)):
        file = tmp_path / name / 'train.json'
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps([{}] * people))
        dataset = ConfigDict(data_root=str(file.parent), ann_file='train.json')
        described.append(describe_data(dataset))
    assert described[0] == described[1]
    assert described[0]['name'] == 'data'
    assert (described[0]['people'], described[2]['people']) == (2, 3)
    assert described[0]['sha256'] != described[2]['sha256']
