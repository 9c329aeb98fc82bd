from __future__ import annotations

import os

from acnn_mmpose.image_check import glance_at_images

import numpy as np
from PIL import Image

NAMES = ['whole.jpg', 'appended.jpg', 'cut.jpg', 'empty.jpg', 'text.png', 'missing.jpg', 'pipe.jpg']


def test_a_glance_finds_what_is_missing_cut_off_or_none(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(
        tmp_path / 'whole.jpg'
    )
    content = (tmp_path / 'whole.jpg').read_bytes()
    (tmp_path / 'appended.jpg').write_bytes(content + bytes(10_000))
    (tmp_path / 'cut.jpg').write_bytes(content[:-500])
    (tmp_path / 'empty.jpg').touch()
    (tmp_path / 'text.png').write_text('no image')
    os.mkfifo(tmp_path / 'pipe.jpg')
    problems = glance_at_images(tmp_path, NAMES)
    assert len(problems) == 5
    assert problems[0].startswith(f'{tmp_path / "cut.jpg"} can not be decoded: image file is trunc')
    assert problems[1:] == [
        f'{tmp_path / "empty.jpg"} is empty (0 bytes)',
        f'{tmp_path / "text.png"} is not an image',
        f'{tmp_path / "missing.jpg"} is missing',
        f'{tmp_path / "pipe.jpg"} is a folder, a pipe or a device, not an image file',
    ]
