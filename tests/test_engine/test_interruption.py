"""A run that is killed and resumed ends as one that was not, bit for bit.

    ACNN_KILLS=20 python -m pytest tests/test_engine/test_interruption.py

is the long version; it prints a line per kill and a verdict.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acnn_mmpose.checkpoints.load import latest_checkpoint
from acnn_mmpose.engine import train_in_order
from acnn_mmpose.engine.hooks.checkpoint import AtomicLocalBackend
from acnn_mmpose.errors import ACNNError
from studies.attention import variants  # noqa: F401  masks that draw random numbers

import pytest
import torch
from mmengine.runner import Runner, ValLoop

from tests.conftest import toy_phase

KILLS = int(os.environ.get('ACNN_KILLS', 4))
PHASES = (1, 2, 3)
OPTIONS = {
    'train_dataloader.num_workers': 2,
    'train_dataloader.persistent_workers': True,
    'train_cfg.val_interval': 1,
    'model.backbone.mask_branch': dict(type='VariedMaskBranch', noise=1.0),
}
EMA = dict(type='EMAHook', momentum=0.1)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(seconds: float):
    """Die at any instant."""

    def install(_):
        timer = threading.Timer(seconds, die)
        timer.daemon = True  # a run that ends earlier does not wait for it
        timer.start()

    return install


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


def die_in_validation(number: int):
    """Die when the number-th epoch is trained and not yet validated."""

    def install(patch):
        count, run_loop = [], ValLoop.run

        def run_or_die(self):
            count.append(self)
            return run_loop(self) if len(count) < number else die()

        patch.setattr(ValLoop, 'run', run_or_die)

    return install


def die_between_phases(patch):
    """Die when a phase has ended and the next has not begun."""
    train = Runner.train

    def then_die(self):
        train(self)
        die()

    patch.setattr(Runner, 'train', then_die)


def train(work: Path, killer) -> None:
    with (work.parent / f'{work.name}.txt').open('a') as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    torch.manual_seed(random.SystemRandom().randrange(2**31))  # nothing may depend on it
    cfgs = [toy_phase(n, work, **OPTIONS) for n in PHASES]
    for cfg in cfgs:
        cfg.custom_hooks.append(EMA)
    with pytest.MonkeyPatch.context() as patch:
        if killer is not None:
            killer(patch)
        train_in_order(cfgs, resume='auto')


def run(work: Path, killer=None) -> tuple[bool, float]:
    """Train in a process of its own; return whether it was killed, and its seconds."""
    process = multiprocessing.get_context('fork').Process(target=train, args=(work, killer))
    start = time.monotonic()
    process.start()
    process.join()
    output = (work.parent / f'{work.name}.txt').read_text()
    assert process.exitcode in (0, -signal.SIGKILL), output[-3000:]
    return process.exitcode != 0, time.monotonic() - start


def final_state(work: Path) -> dict[str, Any]:
    """What a run of three phases leaves: weights, averages, optimizer, schedule, log, the best."""
    state = {}
    for n in PHASES:
        folder = work / f'phase{n}'
        content = torch.load(folder / 'epoch_2.pth')
        scalars, info = (content['message_hub'][key] for key in ('log_scalars', 'runtime_info'))
        parts = {
            **{key: value for key, value in content.items() if key not in ('meta', 'message_hub')},
            'epoch': content['meta']['epoch'],
            'iter': content['meta']['iter'],
            # everything in the log but what the clock says
            'log': {k: [*v.data[0]] for k, v in scalars.items() if 'time' not in k},
            'best': [info['best_score'], Path(info['best_ckpt']).name],
            'best files': sorted(path.name for path in folder.glob('best_*.pth')),
        }
        state.update(leaves(parts, f'phase{n}'))
    return state


def leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, (dict, list, tuple)):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(value, f'{path}.{key}')
    else:
        yield path, tree


def check_equal(state: dict[str, Any], expected: dict[str, Any]) -> None:
    assert state.keys() == expected.keys()
    for path, value in state.items():
        same = torch.equal if isinstance(value, torch.Tensor) else lambda a, b: a == b or a != a
        assert same(value, expected[path]), path


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
def test_killed_and_resumed_equals_not_interrupted(toy_root, tmp_path, monkeypatch, capsys):
    def say(sentence: str) -> None:
        if 'ACNN_KILLS' in os.environ:
            with capsys.disabled():
                print(f'{time.strftime("%H:%M:%S")} {sentence}', flush=True)

    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))
    _, seconds = run(tmp_path / 'whole')
    expected = final_state(tmp_path / 'whole')
    say(f'not interrupted: {seconds:.0f} s, {len(expected)} values to compare')

    chance = random.Random(0)
    forced = [
        ('half of a checkpoint written', die_in_write(2)),
        ('before a validation', die_in_validation(4)),
        ('between two phases', die_between_phases),
    ]
    killed, finished, resumed, kills_here, killer = 0, 0, 0, 0, None
    while killed < KILLS or killer is not None:
        work, killer = tmp_path / f'killed{finished}', None
        if killed < KILLS and kills_here < 4:  # then it may go on to its end
            after = chance.uniform(0.1, seconds)
            killer = forced.pop(0) if forced else (f'after {after:.1f} s', die_after(after))
        was_killed, took = run(work, killer and killer[1])
        if was_killed:
            killed, kills_here = killed + 1, kills_here + 1
            saved = sorted(str(path.relative_to(work)) for path in work.glob('*/epoch_?.pth'))
            last = saved[-1] if saved else 'nothing'
            say(f'kill {killed} of {KILLS}, {killer[0]}: {work.name} has saved {last}')
        else:
            check_equal(final_state(work), expected)
            seconds = seconds if kills_here else took  # as fast as the machine is now
            finished, resumed, kills_here = finished + 1, resumed + (kills_here > 0), 0
            say(f'{work.name} ended as the run that was not interrupted')
    say(f'{killed} kills: all {resumed} runs that were hit ended as the one that was not')


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
        (b'\xff\xfe\x00\x9f', 'epoch_10.pth'),  # no text
        (b'x' * 5000, 'epoch_10.pth'),  # longer than a name can be
        ('epoch_9.pth\n', 'epoch_9.pth'),
    ],
)
def test_the_latest_checkpoint_is_the_noted_one_or_that_with_the_largest_number(
    tmp_path, note, expected
):
    assert latest_checkpoint(tmp_path) is None
    for name in ('epoch_9.pth', 'epoch_10.pth', 'best_PCK_epoch_11.pth', 'epoch_12.pth.partial'):
        (tmp_path / name).touch()
    if note is not None:
        note = note if isinstance(note, bytes) else note.encode()
        (tmp_path / 'last_checkpoint').write_bytes(note)
    assert latest_checkpoint(tmp_path) == str(tmp_path / expected)
