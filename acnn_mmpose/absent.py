"""What an import says where MMPose is not installed, as after `pip install .` alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

COMMANDS = (
    'pip install -r requirements/environment.txt && '
    'pip install --no-deps -r requirements/openmmlab.txt'
)


class _LastFinder(MetaPathFinder):
    """Python asks it for what no other finder has found."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        """Name the two commands that install MMPose and what it needs; find nothing else."""
        if name in ('mmcv', 'mmdet', 'mmpose'):
            raise ModuleNotFoundError(
                f"{name} is not installed: in acnn_mmpose's folder, {COMMANDS}", name=name
            )


def name_the_commands() -> None:
    """Let an import of MMPose or what it needs say how to install them."""
    sys.meta_path.append(_LastFinder())
