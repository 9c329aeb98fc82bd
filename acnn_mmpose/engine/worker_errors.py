"""Ends that are nobody's mistake in one sentence: of workers, of other ranks, by Ctrl-C."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.dist import get_rank
from mmengine.logging import print_log
from mmengine.runner import TestLoop, ValLoop

from ..checkpoints.load import latest_checkpoint
from ..errors import ACNNError, was_interrupted

REMEDIES = {
    'Killed': (
        'the system most likely ran out of memory: use fewer workers ({split}_dataloader.'
        'num_workers=...) or a smaller batch'
    ),
    'Bus error': (
        'shared memory is most likely full: enlarge /dev/shm (docker: --shm-size) or use fewer '
        'workers ({split}_dataloader.num_workers=...)'
    ),
    '': 'with {split}_dataloader.num_workers=0 the cause shows',
}


@contextmanager
def explain_worker_errors(work_dir: str | None = None) -> Iterator[None]:
    """Turn the exceptions that another process caused, or Ctrl-C, into one sentence.

    That is if a data loader's worker died or raised, or another rank ended or hangs. Of a training,
    by its work dir, the last good checkpoint is named.
    """
    try:
        yield
    except BaseException as error:
        good = work_dir and latest_checkpoint(work_dir)
        if was_interrupted(error):
            remedy = f'--resume goes on from {good}' if good else 'no checkpoint is saved yet'
            raise KeyboardInterrupt(f'stopped; {remedy}' if work_dir else 'stopped') from error
        sentence = _explain(error)
        if sentence is None:
            raise
        raise ACNNError(sentence + (f'; --resume goes on from {good}' if good else '')) from error


def _explain(error: BaseException) -> str | None:
    message = str(error)
    if isinstance(error, RuntimeError) and message.startswith('DataLoader worker'):
        message = str(error.__cause__ or error)  # the cause, if any, knows the signal
        split = _split_being_read(error)
        what = message.partition('. ')[0].strip()
        remedy = next(remedy for signal, remedy in REMEDIES.items() if signal in message)
        return f'{what} while the {split} split was read; {remedy.format(split=split)}'
    if ' in DataLoader worker process ' in message.partition('\n')[0]:
        print_log(message, logger='current', level=logging.ERROR)
        reason = _last_of_traceback(message)
        return f'reading the {_split_being_read(error)} split failed: {reason}'
    if isinstance(error, RuntimeError) and re.search('gloo|NCCL', message):
        what = re.sub(r'^\[\S+\] ', '', message).partition('\n')[0]  # without torch's source file
        return (
            f'rank {get_rank()} can not go on without the other processes, one of which has ended '
            f'and says why itself, or hangs ({what})'
        )
    return None


def _last_of_traceback(text: str) -> str:
    """Cut out what a traceback ends with: the exception's type and message, in one line."""
    lines = text.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  ')]
    return ' '.join(lines[max(frames, default=-1) + 1 :])


def _split_being_read(error: BaseException) -> str:
    """Name the split of the loop that the exception went through; training validates, too."""
    split = 'train'
    for frame, _ in traceback.walk_tb(error.__traceback__):
        loop = frame.f_locals.get('self')
        if isinstance(loop, (ValLoop, TestLoop)):
            split = 'val' if isinstance(loop, ValLoop) else 'test'
    return split
