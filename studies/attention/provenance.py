"""Where a figure comes from: data, code, machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from acnn_mmpose.files import write_whole
from studies.machine import name_cpu

import mmengine
import mmpose
import numpy as np
import torch
from mmengine.config import Config, ConfigDict

from .plan import Phase

NOTE = 'phase.json'
CODE = ('acnn_mmpose', 'configs')


def describe_data(dataset: ConfigDict) -> dict[str, Any]:
    """Name a data set: its folder, how many people, and a hash of its annotations."""
    file = Path(dataset.data_root) / dataset.ann_file
    return _describe_annotations(str(file.resolve()), Path(dataset.data_root).resolve().name)


@cache
def _describe_annotations(file: str, name: str) -> dict[str, Any]:
    content = Path(file).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()[:16]
    return dict(name=name, people=len(json.loads(content)), sha256=sha256)


@cache
def describe_code() -> dict[str, str]:
    """Name the commit of this package when first asked, and the versions of what it stands on."""
    return dict(
        commit=find_commit(Path(__file__).parents[2]),
        python=platform.python_version(),
        torch=torch.__version__,
        numpy=np.__version__,
        mmengine=mmengine.__version__,
        mmpose=mmpose.__version__,
    )


def find_commit(root: Path) -> str:
    """Name the commit that is checked out, with ``-dirty`` if code or configs differ from it.

    Where there is no git, the environment variable ACNN_COMMIT names the commit.
    """

    def git(*args: str) -> str:
        command = ['git', '-C', str(root), *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git('status', '--porcelain', '--', *CODE)
        return git('rev-parse', 'HEAD') + ('-dirty' if changed else '')
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get('ACNN_COMMIT', 'unknown')


def describe_hardware() -> dict[str, Any]:
    """Name the processor that trains, and how many threads torch may use."""
    if torch.cuda.is_available():
        return dict(device=torch.cuda.get_device_name(), threads=torch.get_num_threads())
    return dict(device=f'CPU: {name_cpu()}', threads=torch.get_num_threads())


def note_piece(phase: Phase, cfg: Config) -> None:
    """Note in the phase's folder what is trained there, by which code, on what."""
    note = Path(cfg.work_dir, NOTE)
    piece = {**describe_code(), **describe_hardware()}
    pieces = read_pieces(cfg.work_dir)
    content = dict(
        config=phase.config,
        epochs=phase.epochs,
        options=phase.options,
        seed=cfg.randomness.seed,
        pieces=pieces if piece in pieces else [*pieces, piece],
    )
    write_whole(note, json.dumps(content, indent=1))


def read_pieces(folder: str | Path) -> list[dict[str, Any]]:
    """List the different codes and machines that trained in a phase's folder."""
    note = Path(folder, NOTE)
    return json.loads(note.read_text(encoding='utf-8'))['pieces'] if note.is_file() else []
