"""Two trainings never share a work dir, and the dead keep nobody out."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import socket
import subprocess
import sys

from acnn_mmpose.engine import train_in_order
from acnn_mmpose.engine.hooks import work_dir_lock
from acnn_mmpose.engine.hooks.work_dir_lock import hold_work_dir
from acnn_mmpose.errors import ACNNError

import pytest
from mmengine.runner import Runner

HOLD = """
import os, sys, time
from acnn_mmpose.engine.hooks.work_dir_lock import hold_work_dir
with hold_work_dir(sys.argv[1]):
    worker = os.fork() if hasattr(os, 'fork') else 1
    if worker:
        print(worker, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope='module')
def other(tmp_path_factory):
    """A process that trains in a folder, the folder, and the process's forked worker."""
    folder = tmp_path_factory.mktemp('work')
    command = [sys.executable, '-c', HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        worker = int(process.stdout.readline())
        yield process, folder, worker
        process.kill()
        os.kill(worker, signal.SIGKILL)


@pytest.mark.parametrize('entry', ['tools/train.py', 'mim train'])
def test_the_second_training_names_the_first(toy_config, other, entry):
    process, folder, _ = other
    cfg = toy_config(1, work_dir=str(folder))
    holder = f'process {process.pid} on {socket.gethostname()} trains in {folder}'
    with pytest.raises(ACNNError, match=holder):
        train_in_order([cfg]) if entry == 'tools/train.py' else Runner.from_cfg(cfg).train()
    with pytest.raises(ACNNError, match=holder), hold_work_dir(f'{folder}/../{folder.name}'):
        pass


def test_locks_of_other_names_keep_nobody_out(other):
    with hold_work_dir(str(other[1]), name='phase.lock'):
        assert (other[1] / 'phase.lock').is_file()


def test_a_lock_file_that_can_not_be_opened_is_named(tmp_path):
    (tmp_path / 'train.lock').mkdir()
    sentence = r'train.lock can not be opened \(Is a directory\): choose another --work-dir'
    with pytest.raises(ACNNError, match=sentence), hold_work_dir(str(tmp_path)):
        pass


def test_ranks_after_the_first_leave_the_lock_to_it(other, monkeypatch):
    held = (other[1] / 'train.lock').read_bytes()
    monkeypatch.setenv('RANK', '1')
    with hold_work_dir(str(other[1]), 'pytorch'):
        assert (other[1] / 'train.lock').read_bytes() == held


def test_a_test_needs_no_lock(toy_config, trained, other):
    cfg = toy_config(1, load_from=str(trained['pose']), work_dir=str(other[1]))
    assert 'PCK' in Runner.from_cfg(cfg).test()


def test_the_dead_keep_nobody_out(other):
    process, folder, worker = other
    process.kill()
    process.wait()
    os.kill(worker, 0)  # its worker lives
    with hold_work_dir(str(folder)), hold_work_dir(str(folder)):  # a process may hold it twice
        assert f'process {os.getpid()} on' in (folder / 'train.lock').read_text()
        child = multiprocessing.get_context('fork').Process(target=_try, args=(folder,))
        child.start()
        child.join()
        assert child.exitcode == 0


def _try(folder) -> None:
    with pytest.raises(ACNNError, match=f'process {os.getppid()} on'), hold_work_dir(str(folder)):
        pass


def test_where_there_are_no_locks_a_warning_says_so(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(work_dir_lock, 'print_log', lambda message, **_: said.append(message))

    def refuse(*_):
        raise OSError(37, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', refuse)
    with hold_work_dir(str(tmp_path)):
        pass
    assert said == [
        f'{tmp_path} can not be locked (No locks available): start no other training in it'
    ]
