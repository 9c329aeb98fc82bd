"""What another process caused ends the run at once, with one sentence."""

from __future__ import annotations

import os
import signal

from acnn_mmpose.engine import explain_worker_errors, train_in_order
from acnn_mmpose.errors import ACNNError

import pytest
from mmengine.runner import EpochBasedTrainLoop, TestLoop, ValLoop
from mmpose.registry import TRANSFORMS
from torch.utils.data import DataLoader

LOOPS = {'train': EpochBasedTrainLoop, 'val': ValLoop, 'test': TestLoop}


class Faulty(list):
    """Four samples; the second one calls a function in the worker that reads it."""

    def __init__(self, fault) -> None:
        super().__init__(range(4))
        self.fault = fault

    def __getitem__(self, index: int) -> int:
        return self.fault() if index == 1 else index


def die(number: int):
    return lambda: os.kill(os.getpid(), number)


def complain(error: Exception):
    def fault():
        raise error

    return fault


def read(split: str, fault) -> None:
    """Read a faulty split as a loop of the Runner does."""

    class Loop(LOOPS[split]):
        def __init__(self) -> None:
            pass

        def run(self) -> None:
            batches = iter(DataLoader(Faulty(fault), num_workers=1))
            try:
                for _ in batches:
                    pass
            finally:
                batches._shutdown_workers()  # left to the garbage collector it takes 5 seconds

    with explain_worker_errors():
        Loop().run()


@pytest.mark.parametrize(
    ('split', 'fault', 'message'),
    [
        ('train', die(signal.SIGKILL), r'killed by signal: Killed while the train .*num_workers'),
        ('val', die(signal.SIGBUS), r'Bus error while the val split .*enlarge /dev/shm'),
        ('test', lambda: os._exit(3), r'exited unexpectedly .* the test .*num_workers=0 the cause'),
        ('val', complain(TypeError('a\nb')), '^reading the val split failed: TypeError: a b$'),
        ('train', complain(ACNNError('x.jpg: bad')), r'^x.jpg: bad$'),
    ],
)
def test_a_failing_worker_is_explained(split, fault, message):
    with pytest.raises(ACNNError, match=message):
        read(split, fault)


def test_a_lost_rank_is_explained_without_torchs_source_file():
    sentence = r'^rank 0 can not go on without .* hangs \(Connection closed by peer\)$'
    with pytest.raises(ACNNError, match=sentence), explain_worker_errors():
        raise RuntimeError('[/a/gloo/tcp/pair.cc:553] Connection closed by peer\nand more')


@pytest.mark.parametrize('error', [TypeError('a bug of ours'), ACNNError('one sentence')])
def test_failures_of_this_process_are_left_as_they_are(error):
    with pytest.raises(type(error)) as raised, explain_worker_errors():
        raise error
    assert raised.value is error


@TRANSFORMS.register_module()
class DieLater:
    """Kills the worker that reads its 17th sample, in the second epoch."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, results: dict) -> dict:
        self.count += 1
        if self.count == 17:
            die(signal.SIGKILL)()
        return results


def test_training_ends_with_the_last_good_checkpoint(toy_config):
    workers = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}
    cfg = toy_config(1, **workers)
    cfg.train_dataloader.dataset.pipeline.insert(0, dict(type='DieLater'))
    with pytest.raises(
        ACNNError, match=r'the train split .*; --resume goes on from .*epoch_1\.pth'
    ):
        train_in_order([cfg])
