"""One training at a time in a work dir, whoever starts it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import HOOKS

from ...errors import ACNNError
from ...files import make_folder

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

NAME = 'train.lock'
RANKS = {'pytorch': 'RANK', 'slurm': 'SLURM_PROCID', 'mpi': 'OMPI_COMM_WORLD_RANK'}

_held: dict[Path, TextIO] = {}


class BusyError(ACNNError):
    """Another process holds the work dir."""


def _forget() -> None:
    """Close, in a process forked for a data loader, what would keep the lock of a killed run."""
    for file in _held.values():
        file.close()
    _held.clear()


if fcntl is not None:
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def hold_work_dir(work_dir: str, launcher: str = 'none', name: str = NAME) -> Iterator[None]:
    """Keep other trainings out of a work dir, which is made if need be.

    The lock is the system's, of this process alone: it ends with the process, however that ends,
    and the workers of data loaders don't have it. What this process holds it may take again. Of
    several ranks, numbered as the launcher does, the first takes the lock for all. Locks of other
    file names keep nobody out.

    Raises:
        BusyError: If another process holds it, naming that and its host.
    """
    path = make_folder(work_dir, 'the work dir', 'choose another --work-dir').resolve() / name
    is_first = os.environ.get(RANKS.get(launcher, ''), '0') == '0'
    if fcntl is None or path in _held or not is_first:
        yield
        return
    try:
        opened = path.open('a+')
    except OSError as error:
        raise ACNNError(
            f'{path} can not be opened ({error.strerror}): choose another --work-dir, or have its '
            'owner remove it'
        ) from error
    with opened as file:
        _take(file, work_dir)
        _held[path] = file
        try:
            yield
        finally:
            _held.pop(path, None)


def _take(file: TextIO, work_dir: str) -> None:
    """Lock a file for this process, and write into it whose it is."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.seek(0)
        raise BusyError(
            f'{file.read() or "another process"} trains in {work_dir}: wait until it has ended, or '
            'choose another --work-dir'
        ) from error
    except OSError as error:  # some network file systems have no locks
        print_log(
            f'{work_dir} can not be locked ({error.strerror}): start no other training in it',
            logger='current',
            level=logging.WARNING,
        )
    file.truncate(0)
    file.write(f'process {os.getpid()} on {socket.gethostname()}')
    file.flush()


@HOOKS.register_module()
class WorkDirLockHook(Hook):
    """Holds the work dir (:func:`hold_work_dir`) while a Runner trains.

    ``tools/train.py`` holds those of all its phases from the start; ``mim train`` has this hook.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._stack = ExitStack()

    def before_run(self, runner: Runner) -> None:
        """Take the lock for a training, which alone has built its loop here."""
        if isinstance(runner._train_loop, BaseLoop):
            self._stack.enter_context(hold_work_dir(runner.work_dir, runner._launcher))

    def after_run(self, runner: Runner) -> None:
        """Give it back."""
        self._stack.close()
