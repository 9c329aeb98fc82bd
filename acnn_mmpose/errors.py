"""The one exception that means "the input is wrong", as opposed to "the code is wrong"."""

from __future__ import annotations

import errno
import importlib
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Callable


class ACNNError(ValueError):
    """Bad input: a missing file, a checkpoint of another phase, an impossible option.

    Its message is one sentence or two that say what is wrong and what to do about it.
    """

    def __str__(self) -> str:
        """Return the sentence, without the traceback that torch's data loader puts before it."""
        name = f'{type(self).__module__}.{type(self).__qualname__}: '
        return super().__str__().rpartition(name)[2].strip()


@contextmanager
def explained(what: str, remedy: str) -> Iterator[None]:
    """Turn any exception but an :class:`ACNNError` into one: what failed, it, and the remedy."""
    try:
        yield
    except ACNNError:
        raise
    except Exception as error:  # libraries take bad input as it comes, and raise anything
        raise ACNNError(f'{what} ({error!r}): {remedy}') from error


def import_package(name: str, needed_by: str) -> ModuleType:
    """Import a package that an installation of MMPose may lack, for the few things that need it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition('.')[0]
        raise ACNNError(f'{needed_by} needs {package} ({error}): pip install {package}') from error


def name_first(problems: Sequence[str]) -> str:
    """Return the first of one or more problems, and how many there are besides it."""
    more = len(problems) - 1
    return problems[0] + (f' (and {more} more problem{"s" * (more > 1)})' if more else '')


def run_tool(main: Callable[[], None], stopped: str = '') -> None:
    """Run a command line tool; it ends with one sentence where the user is concerned.

    Bad input gives exit status 1, and Ctrl-C 130, with ``stopped`` where what was stopped would
    not say the right thing itself. Any other exception than :class:`ACNNError`, or that of a full
    disk while a log is written, keeps its traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')  # file names need not be UTF-8
    try:
        main()
    except BaseException as error:
        if was_interrupted(error):
            stop = str(error) if isinstance(error, KeyboardInterrupt) else ''
            print(stopped or stop or 'stopped', file=sys.stderr)
            sys.exit(130)
        if isinstance(error, ACNNError):
            sys.exit(f'error: {error}')
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f' with {error.filename}' if error.filename else ''
            sys.exit(
                f'error: the disk{where} is full ({error.strerror}): make room, and start again'
            )
        raise


def was_interrupted(error: BaseException | None) -> bool:
    """Say whether an exception is Ctrl-C, or was raised while that ended something.

    MMEngine turns any exception in its formatting of a config, for example, into a SyntaxError.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
