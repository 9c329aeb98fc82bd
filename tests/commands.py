"""Command lines, run in this process where they are Python's: that saves importing MMPose."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from collections import OrderedDict

import pytest
import torch
from mmengine.logging import MMLogger


def run_lines(code: str, monkeypatch) -> None:
    """Run lines of bash, of the docs' blocks, as a reader runs them."""
    for line in re.sub(r'\\\n', ' ', code).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ['python'] and not {'|', '>', '&&', ';'}.intersection(words):
            monkeypatch.setattr(sys, 'argv', words[1:])
            runpy.run_path(words[1], run_name='__main__')
        elif words:
            subprocess.run(['bash', '-euo', 'pipefail', '-c', line], check=True)


def run_here(capfd, folder, program: str, *args, **environment) -> subprocess.CompletedProcess:
    """Run a Python file, or a module, in a folder; return its exit status and what it wrote."""
    run = runpy.run_path if program.endswith('.py') else runpy.run_module
    threads, status = torch.get_num_threads(), 0
    capfd.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, 'argv', [program, *map(str, args)])
        # loggers keep the stream of the test that made them
        patch.setattr(MMLogger, '_instance_dict', OrderedDict())
        for name, value in environment.items():
            patch.setenv(name, str(value))
        try:
            run(program, run_name='__main__')
        except SystemExit as end:
            status = end.code or 0
        finally:
            torch.set_num_threads(threads)
    if isinstance(status, str):  # Python's way to end with a sentence
        print(status, file=sys.stderr)
        status = 1
    return subprocess.CompletedProcess([program, *args], status, *capfd.readouterr())
