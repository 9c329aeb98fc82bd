"""A run that is killed and resumed ends with the weights of one that was not, bit for bit.

ACNN_KILLS=20 python -m pytest tests/test_engine/test_interruption.py is the long version.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path

from acnn_mmpose.engine import AtomicLocalBackend, train_in_order
from acnn_mmpose.engine.checkpoints import latest_checkpoint
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmengine.runner import Runner

from tests.conftest import toy_phase

KILLS = int(os.environ.get('ACNN_KILLS', 3))
PHASES = (1, 2, 3)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(seconds: float):
    """Die at any instant."""
    return lambda _: threading.Timer(seconds, die).start()


def die_in_write(number: int):
    """Die when half of the number-th checkpoint is on the disk."""

    def install(patch):
        count, put = [], AtomicLocalBackend.put

        def half(self, obj, filepath):
            count.append(filepath)
            if len(count) == number:
                Path(f'{filepath}.partial').write_bytes(obj[: len(obj) // 2])
                die()
            put(self, obj, filepath)

        patch.setattr(AtomicLocalBackend, 'put', half)

    return install


def die_between_phases(patch):
    """Die when a phase has ended and the next has not begun."""
    train = Runner.train

    def then_die(self):
        train(self)
        die()

    patch.setattr(Runner, 'train', then_die)


def train(work: Path, killer) -> None:
    torch.manual_seed(random.SystemRandom().randrange(2**31))  # nothing may depend on it
    workers = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}
    noise = {'model.backbone.mask_noise': 1.0}
    with pytest.MonkeyPatch.context() as patch:
        if killer is not None:
            killer(patch)
        train_in_order([toy_phase(n, work, **workers, **noise) for n in PHASES], resume='auto')


def run(work: Path, killer=None) -> tuple[int, float]:
    """Train in a process of its own; return its exit code and its seconds."""
    process = multiprocessing.get_context('fork').Process(target=train, args=(work, killer))
    start = time.monotonic()
    process.start()
    process.join()
    return process.exitcode, time.monotonic() - start


def final_weights(work: Path) -> dict[str, torch.Tensor]:
    return {
        f'phase{n}.{key}': value
        for n in PHASES
        for key, value in torch.load(work / f'phase{n}/epoch_2.pth')['state_dict'].items()
    }


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
def test_killed_and_resumed_equals_not_interrupted(toy_root, tmp_path, monkeypatch):
    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))
    code, seconds = run(tmp_path / 'whole')
    assert code == 0
    expected = final_weights(tmp_path / 'whole')

    chance = random.Random(0)
    killers = [die_in_write(2), die_between_phases]
    killers += [die_after(chance.uniform(0.1, seconds)) for _ in range(max(KILLS - 2, 1))]
    works, killed = [tmp_path / 'killed0'], 0
    for killer in killers:
        code, _ = run(works[-1], killer)
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        if code == 0:  # it was done before it could be killed: begin another
            works.append(tmp_path / f'killed{len(works)}')
    assert killed >= 2
    assert run(works[-1])[0] == 0
    for work in works:
        weights = final_weights(work)
        assert weights.keys() == expected.keys()
        for key, value in weights.items():
            assert torch.equal(value, expected[key]), (work.name, key)


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    backend = AtomicLocalBackend()
    backend.put(b'first', tmp_path / 'a.pth')
    usage = type('Usage', (), {'free': 3})
    monkeypatch.setattr('shutil.disk_usage', lambda _: usage)
    with pytest.raises(ACNNError, match=r'a.pth could .* MB are free.*--resume'):
        backend.put(b'second', tmp_path / 'a.pth')
    monkeypatch.undo()

    def no_space(_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', no_space)
    with pytest.raises(ACNNError, match=r'could not be written \(No space left on device\)'):
        backend.put(b'second', tmp_path / 'a.pth')
    assert [p.name for p in tmp_path.iterdir()] == ['a.pth']
    assert (tmp_path / 'a.pth').read_bytes() == b'first'


@pytest.mark.parametrize(
    ('note', 'expected'),
    [
        (None, 'epoch_10.pth'),
        ('', 'epoch_10.pth'),  # left empty by a killed process
        ('/old/place/epoch_9.pth', 'epoch_9.pth'),
        ('/old/place/epoch_8.pth', 'epoch_10.pth'),  # is not there
    ],
)
def test_the_latest_checkpoint_is_the_noted_one_or_that_with_the_largest_number(
    tmp_path, note, expected
):
    assert latest_checkpoint(tmp_path) is None
    for name in ('epoch_9.pth', 'epoch_10.pth', 'best_PCK_epoch_11.pth', 'epoch_12.pth.partial'):
        (tmp_path / name).touch()
    if note is not None:
        (tmp_path / 'last_checkpoint').write_text(note)
    assert latest_checkpoint(tmp_path) == str(tmp_path / expected)
