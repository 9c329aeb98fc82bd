"""What this machine is."""

from __future__ import annotations

import platform
from pathlib import Path


def name_cpu() -> str:
    """Name the processor as the system does."""
    info = Path('/proc/cpuinfo')
    for line in info.read_text(encoding='utf-8').splitlines() if info.is_file() else ():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()
