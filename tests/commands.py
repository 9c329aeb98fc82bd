"""Lines of the docs' shell blocks, run as a reader runs them."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys


def run_lines(code: str, monkeypatch) -> None:
    """Run lines of bash; our tools in this process, which saves importing MMPose."""
    for line in re.sub(r'\\\n', ' ', code).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ['python'] and not {'|', '>', '&&', ';'}.intersection(words):
            monkeypatch.setattr(sys, 'argv', words[1:])
            runpy.run_path(words[1], run_name='__main__')
        elif words:
            subprocess.run(['bash', '-euo', 'pipefail', '-c', line], check=True)
