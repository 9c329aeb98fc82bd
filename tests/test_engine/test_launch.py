from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from acnn_mmpose import engine
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmengine.config import Config
from mmengine.utils import digit_version


def test_pytorch_outside_torchrun_is_refused(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(ACNNError, match=r'needs torchrun: call tools/dist_train.sh'):
        engine.set_launcher(Config(), 'pytorch')


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has a GPU')
def test_launchers_other_than_pytorch_need_a_gpu():
    with pytest.raises(ACNNError, match=r"'slurm' needs a GPU.*dist_train.sh"):
        engine.set_launcher(Config(), 'slurm')


@pytest.mark.parametrize(
    ('environment', 'rank'),
    [({}, '2'), ({'OMPI_COMM_WORLD_LOCAL_RANK': '3'}, '3'), ({'LOCAL_RANK': '1'}, '1')],
)
def test_mmengine_learns_the_local_rank_whoever_names_it(monkeypatch, environment, rank):
    for name in ('LOCAL_RANK', 'OMPI_COMM_WORLD_LOCAL_RANK'):
        monkeypatch.setenv(name, '')  # restored after the test
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    engine.set_launcher(Config(), 'none', 2)
    assert os.environ['LOCAL_RANK'] == rank


GROUP_OF_ONE = """
import glob, sys

from acnn_mmpose import engine

from mmengine.config import Config
from torch import distributed, nn


def threads():
    return {open(path).read().strip() for path in glob.glob('/proc/self/task/*/comm')}


engine.set_launcher(Config(), 'pytorch')
model = nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
model.itself = model
del model
if 'gloo_tcp_loop' not in threads():
    sys.exit(77)
engine.end_process_group()
assert not distributed.is_initialized()
assert 'gloo_tcp_loop' not in threads(), threads()
engine.end_process_group()
"""


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='needs Linux')
@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has a GPU')
def test_no_thread_of_gloo_is_left_to_abort_the_exit(tmp_path):
    address = dict(RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT='0')
    done = subprocess.run(
        [sys.executable, '-c', GROUP_OF_ONE],
        env={**os.environ, **address},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 and digit_version(torch.__version__) < digit_version('2.6'):
        pytest.skip('this torch gives its threads no names')
    assert done.returncode == 0, done.stderr[-3000:]
