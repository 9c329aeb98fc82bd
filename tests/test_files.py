"""Files are whole or not there, whoever writes them."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from types import SimpleNamespace

from acnn_mmpose.engine.hooks.checkpoint import AtomicLocalBackend
from acnn_mmpose.errors import ACNNError, run_tool
from acnn_mmpose.evaluation import published_rows, save_table
from acnn_mmpose.files import write_picture, write_together, write_whole
from acnn_mmpose.inference.sources import Frame
from acnn_mmpose.inference.writers import FileWriter, VideoWriter
from acnn_mmpose.mpii import convert_mpii
from acnn_mmpose.toy import make_toy_dataset
from acnn_mmpose.visualization.plots import save_figure
from studies.attention.report import write_report

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from .conftest import ROOT
from .test_mpii.official_release import image, rect, save_release

PICTURE = np.zeros((16, 24, 3), np.uint8)
FRAME = Frame('a.jpg', None, PICTURE)


@pytest.fixture(params=['before', 'while writing'])
def fill_disk(request, monkeypatch):
    """Makes the disk full, as is noticed before anything is written or only then."""

    def fill() -> None:
        if request.param == 'before':
            monkeypatch.setattr('shutil.disk_usage', lambda _: SimpleNamespace(free=3))
        else:
            monkeypatch.setattr('os.fsync', fail)

    def fail(_) -> None:
        raise OSError(errno.EDQUOT, 'Disk quota exceeded')

    return fill


def convert(folder: Path) -> None:
    joints = {k: (k, k) for k in range(16)}
    images = [image('1.jpg', [rect(joints)]), image('2.jpg', [rect(None)])]
    save_release(f'{folder}.mat', images, [1, 0])
    convert_mpii(f'{folder}.mat', folder)


def report(folder: Path) -> None:
    write_report([], folder, folder / 'page.md')


def film(folder: Path) -> None:
    writer = VideoWriter(folder, 10)
    try:
        writer.write(FRAME, PICTURE)
    finally:  # as after an error
        writer.close()


class LostVideo:
    """What OpenCV makes on a full disk: it says nothing."""

    fourcc = staticmethod(cv2.VideoWriter.fourcc)

    def __init__(self, *_) -> None: ...

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def write(self, picture: np.ndarray) -> None: ...

    def release(self) -> None: ...


WRITERS = {
    'a checkpoint': lambda folder: AtomicLocalBackend().put(b'weights', folder / 'a.pth'),
    'a table': lambda folder: save_table(published_rows(), folder / 'table'),
    'a plot': lambda folder: save_figure(Figure(), folder / 'plot.png', dpi=20),
    'a picture': lambda folder: FileWriter(folder).write(FRAME, PICTURE),
    'annotations': convert,
    'a report': report,
}


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize('what', WRITERS)
def test_a_full_disk_leaves_every_file_as_it_was(tmp_path, fill_disk, what):
    (tmp_path / 'page.md').write_text('page')
    WRITERS[what](tmp_path)
    before = read_all(tmp_path)
    assert all(before.values())
    for name in before.keys() - {'page.md'}:
        (tmp_path / name).write_bytes(b'before')
    before = read_all(tmp_path)
    fill_disk()
    with pytest.raises(ACNNError, match=r'could not be written \((it needs|Disk quota).*\): '):
        WRITERS[what](tmp_path)
    assert read_all(tmp_path) == before


def test_a_full_disk_ends_the_making_of_toy_data(tmp_path, fill_disk):
    fill_disk()
    with pytest.raises(ACNNError, match='could not be written'):
        make_toy_dataset(tmp_path / 'toy', 1, 1)


def test_files_that_belong_together_are_written_all_or_none(tmp_path):
    (tmp_path / 'b').mkdir()
    with pytest.raises(ACNNError, match='b could not be written .*this name that is no file'):
        write_together({tmp_path / 'a': 'a', tmp_path / 'b': 'b'})
    assert [path.name for path in tmp_path.iterdir()] == ['b']


@pytest.mark.parametrize('link', ['out', 'out.partial'])
def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path, link):
    (tmp_path / 'input').write_text('input')
    (tmp_path / link).symlink_to(tmp_path / 'input')
    write_whole(tmp_path / 'out', 'output')
    assert (tmp_path / 'input').read_text() == 'input'
    assert (tmp_path / 'out').read_text() == 'output'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['input', 'out']


def test_a_device_is_not_replaced():
    with pytest.raises(ACNNError, match='/dev/null could not be written .* is no file'):
        write_whole(os.devnull, 'gone')
    assert not Path(os.devnull).is_file()


def test_a_video_has_its_name_when_it_is_whole(tmp_path, monkeypatch):
    (tmp_path / 'input.mp4').write_text('input')
    for link in ('a.mp4', 'a.mp4.partial.mp4'):
        (tmp_path / link).symlink_to(tmp_path / 'input.mp4')
    film(tmp_path)
    assert (tmp_path / 'input.mp4').read_text() == 'input'
    whole = (tmp_path / 'a.mp4').read_bytes()
    assert cv2.VideoCapture(str(tmp_path / 'a.mp4')).read()[0]
    monkeypatch.setattr(cv2, 'VideoWriter', LostVideo)
    with pytest.raises(ACNNError, match='a.mp4 could not be written: make room'):
        film(tmp_path)
    assert read_all(tmp_path) == {'input.mp4': b'input', 'a.mp4': whole}


def test_a_video_that_can_not_be_begun_is_named(tmp_path, monkeypatch):
    (tmp_path / 'a.mp4').mkdir()
    with pytest.raises(ACNNError, match=r'a\.mp4 could not be written .*no file\): .*--out-dir'):
        film(tmp_path)
    (tmp_path / 'a.mp4').rmdir()
    monkeypatch.setattr(LostVideo, 'isOpened', lambda _: False)
    monkeypatch.setattr(cv2, 'VideoWriter', LostVideo)
    with pytest.raises(ACNNError, match=r'a\.mp4 can not be written as a video of size \(24, 16\)'):
        film(tmp_path)


def test_a_picture_that_a_format_does_not_allow(tmp_path):
    with pytest.raises(ACNNError, match='a.jpg, 70000x1 px, can not be written: give a smaller'):
        write_picture(tmp_path / 'a.jpg', np.zeros((1, 70000, 3), np.uint8))
    with pytest.raises(ACNNError, match='a.xyz, 24x16 px, can not be written: .* another format'):
        write_picture(tmp_path / 'a.xyz', PICTURE)
    assert not list(tmp_path.iterdir())


def test_pictures_are_written_as_opencv_does(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    write_picture(tmp_path / 'a.jpg', picture)
    cv2.imwrite(str(tmp_path / 'b.jpg'), picture[..., ::-1])
    assert (tmp_path / 'a.jpg').read_bytes() == (tmp_path / 'b.jpg').read_bytes()


@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_ends_a_tool_in_one_sentence(code):
    def log():
        raise OSError(code, 'full', 'x.log')

    with pytest.raises(SystemExit, match=r'error: the disk with x.log is full \(full\): make room'):
        run_tool(log)

    def other():
        raise OSError(errno.EPERM, 'no')

    with pytest.raises(PermissionError):
        run_tool(other)


def test_nobody_writes_files_on_their_own():
    """Logs that grow line by line may: they are opened with 'a'."""
    ways = re.compile(
        r"""\.write_(text|bytes)\(|open\((\w+, )?['"][wx]b?['"]"""
        r'|imwrite\(|save(fig|mat|z)\((?!stream)'
    )
    found = {
        (str(path.relative_to(ROOT)), line.strip())
        for folder in ('acnn_mmpose', 'studies', 'tools')
        for path in (ROOT / folder).rglob('*.py')
        for line in path.read_text(encoding='utf-8').splitlines()
        if ways.search(line)
    }
    assert found == {('acnn_mmpose/files.py', "with path.open('xb') as file:")}
