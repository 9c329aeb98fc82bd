from __future__ import annotations

from acnn_mmpose import engine
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmengine.config import Config


def test_pytorch_outside_torchrun_is_refused(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(ACNNError, match=r'needs torchrun: call tools/dist_train.sh'):
        engine.set_launcher(Config(), 'pytorch')


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has a GPU')
def test_launchers_other_than_pytorch_need_a_gpu():
    with pytest.raises(ACNNError, match=r"'slurm' needs a GPU.*dist_train.sh"):
        engine.set_launcher(Config(), 'slurm')


@pytest.mark.parametrize('timeout', [0, -5, 'soon'])
def test_an_impossible_timeout_is_refused(timeout):
    cfg = Config(dict(env_cfg=dict(dist_cfg=dict(timeout=timeout))))
    with pytest.raises(ACNNError, match=f'timeout must be a number of seconds, not {timeout!r}'):
        engine.set_launcher(cfg, 'none')
