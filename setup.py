"""Packaging. Reads text files only: building must not need torch."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def read_version() -> str:
    """Return ``__version__`` of acnn_mmpose/version.py without importing the package."""
    text = (ROOT / 'acnn_mmpose' / 'version.py').read_text(encoding='utf-8')
    return re.search(r"__version__ = '(.+)'", text)[1]


def read_requirements(name: str) -> list[str]:
    """Return the requirements in requirements/NAME.txt, without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.partition('#')[0].strip() for line in lines if line.partition('#')[0].strip()]


setup(
    name='acnn_mmpose',
    version=read_version(),
    description='ACNN, a self-attention hourglass network for human pose estimation, for MMPose',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['acnn_mmpose', 'acnn_mmpose.*']),
    package_data={'acnn_mmpose.mpii': ['val_split.txt']},
    python_requires='>=3.9',
    install_requires=read_requirements('package'),
    extras_require={name: read_requirements(name) for name in ('app', 'docs', 'onnx')},
    classifiers=[
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
