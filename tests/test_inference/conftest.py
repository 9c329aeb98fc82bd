"""A trained small network and a few images."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import toy_phase


@pytest.fixture(scope='session')
def config(tmp_path_factory) -> str:
    """The joint phase's config, as one file."""
    folder = tmp_path_factory.mktemp('config')
    cfg = toy_phase(3, folder)
    cfg.dump(folder / 'config.py')
    return str(folder / 'config.py')


@pytest.fixture(scope='session')
def images(toy_root) -> list[Path]:
    return sorted((toy_root / 'images').glob('*.jpg'))[:3]
