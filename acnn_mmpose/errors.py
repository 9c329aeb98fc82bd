"""The one exception that means "the input is wrong", as opposed to "the code is wrong"."""

from __future__ import annotations

import errno
import io
import sys
from typing import Callable


class ACNNError(ValueError):
    """Bad input: a missing file, a checkpoint of another phase, an impossible option.

    Its message is one sentence or two that say what is wrong and what to do about it.
    """

    def __str__(self) -> str:
        """Return the sentence, without the traceback that torch's data loader puts before it."""
        name = f'{type(self).__module__}.{type(self).__qualname__}: '
        return super().__str__().rpartition(name)[2].strip()


def run_tool(main: Callable[[], None]) -> None:
    """Run a command line tool; bad input ends it with one sentence and exit status 1.

    Args:
        main: The tool. Any other exception than :class:`ACNNError`, or that of a full disk while
            a log is written, keeps its traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')  # file names need not be UTF-8
    try:
        main()
    except ACNNError as error:
        sys.exit(f'error: {error}')
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f' with {error.filename}' if error.filename else ''
        sys.exit(f'error: the disk{where} is full ({error.strerror}): make room, and start again')
