"""Two processes: the gradients are those of one, and none outlives another's failure."""

from __future__ import annotations

import copy
import multiprocessing
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import distributed, nn

from tests.conftest import FAST_TRAINING, ROOT


def gradients(model: nn.Module, batch: dict, norm_trains: bool) -> dict[str, torch.Tensor]:
    """Run one training step and return the gradients that the optimizer got."""
    inner = model.module if hasattr(model, 'module') else model
    for module in inner.train().modules():
        if isinstance(module, nn.BatchNorm2d) and not norm_trains:
            module.eval()
    parameters = {n: p for n, p in inner.named_parameters() if p.requires_grad}
    optimizer = torch.optim.SGD(parameters.values(), lr=0.0)
    found = {}
    optimizer.register_step_pre_hook(
        lambda *_: found.update((n, p.grad.clone()) for n, p in parameters.items())
    )
    model.train_step(batch, OptimWrapper(optimizer))
    return found


def all_gradients(models: dict[str, nn.Module], batch: dict) -> dict[tuple, dict]:
    """Gradients in every phase, with BatchNorm in eval and then in train mode."""
    return {
        (phase, norm_trains): gradients(model, batch, norm_trains)
        for phase, model in models.items()
        for norm_trains in (False, True)
    }


def train_a_half(rank: int, models: dict[str, nn.Module], batch: dict, folder: Path) -> None:
    store = f'file://{folder}/store'
    distributed.init_process_group('gloo', init_method=store, rank=rank, world_size=2)
    wrapped = {
        phase: MMDistributedDataParallel(model, device_ids=None, broadcast_buffers=False)
        for phase, model in models.items()
    }
    part = {key: values[2 * rank : 2 * rank + 2] for key, values in batch.items()}
    torch.save(all_gradients(wrapped, part), folder / f'{rank}.pth')
    distributed.destroy_process_group()


def relative_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).norm() / torch.maximum(a.norm(), b.norm()).clamp(min=1e-12)).item()


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
def test_two_processes_with_half_the_batch_get_the_gradients_of_one(build_model, batch, tmp_path):
    """In every phase, though one half shows six joints and the other all of its 32.

    The loss is a mean over all joints, of which an invisible one counts 0, so that the mean of the
    halves is the mean of the whole; a mean over the visible joints would not be.

    BatchNorm is in eval mode here. In train mode each process normalises with the statistics of
    its own images, as in the paper's training with 6 images on each of 2 GPUs, so that the
    gradients must differ; `sync_bn='torch'` in a config would make them agree, but SyncBatchNorm
    runs on GPUs only.
    """
    for i, sample in enumerate(batch['data_samples']):
        sample.gt_instance_labels.keypoint_weights[:, 3 if i < 2 else 16 :] = 0
    models = {phase: build_model(phase) for phase in ('joint', 'attention', 'pose')}
    images = models['joint'].data_preprocessor(copy.deepcopy(batch))['inputs']
    for _ in range(20):  # statistics with which masks keep some cells and discard others
        models['joint'].train().backbone(images)
    for model in models.values():
        model.load_state_dict(models['joint'].state_dict())
    expected = all_gradients(copy.deepcopy(models), batch)  # BatchNorm's statistics move
    fork = multiprocessing.get_context('fork')
    processes = [
        fork.Process(target=train_a_half, args=(rank, models, batch, tmp_path)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    for rank in (0, 1):
        for (phase, norm_trains), found in torch.load(tmp_path / f'{rank}.pth').items():
            wanted = expected[phase, norm_trains]
            assert found.keys() == wanted.keys()
            if norm_trains:
                both = (torch.cat([*map(torch.flatten, g.values())]) for g in (found, wanted))
                assert relative_distance(*both) > 0.01, phase
            else:
                assert sum(bool(value.any()) for value in wanted.values()) > 0.9 * len(wanted), (
                    phase
                )
                distances = [relative_distance(found[name], wanted[name]) for name in found]
                assert max(distances) < 1e-5, phase


FAULTS = """
import os
import signal
import time

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmpose.registry import HOOKS


@HOOKS.register_module()
class FaultHook(Hook):
    def __init__(self, fault):
        self.fault = fault

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if get_rank() == 1 and runner.iter == 1:
            if self.fault == 'kill':
                os.kill(os.getpid(), signal.SIGKILL)
            if self.fault == 'hang':
                time.sleep(600)
"""


@pytest.mark.parametrize(
    ('fault', 'sentence'),
    [
        ('kill', r'Signal 9 \(SIGKILL\) received by PID'),  # the other may end before it speaks
        ('hang', r'error: rank 0 can not go on without .* hangs \(Timed out waiting 10000ms'),
    ],
)
def test_no_process_outlives_the_failure_of_another(toy_root, tmp_path, fault, sentence):
    (tmp_path / 'faults.py').write_text(FAULTS)
    (tmp_path / 'config.py').write_text(
        f"_base_ = ['{ROOT}/configs/toy/acnn_toy_phase1.py']\n"
        "custom_imports = dict(imports=['acnn_mmpose', 'faults'], allow_failed_imports=False)\n"
        f"custom_hooks = [dict(type='FaultHook', fault='{fault}')]\n"
        'env_cfg = dict(dist_cfg=dict(timeout=10))\n'
    )
    done = subprocess.run(
        ['bash', str(ROOT / 'tools/dist_train.sh'), 'config.py', '2', '--cfg-options']
        + [f'{key}={value}' for key, value in FAST_TRAINING.items()],
        cwd=tmp_path,
        env=dict(
            os.environ,
            ACNN_DATA_ROOT=str(toy_root),
            OMP_NUM_THREADS='1',
            PYTHON=sys.executable,
            PYTHONPATH=f'{ROOT}:{tmp_path}',
        ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert re.search(sentence, done.stderr), done.stderr[-3000:]
