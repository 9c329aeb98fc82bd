"""Images of every kind become BGR uint8, and what is none is named; boxes hold somebody."""

from __future__ import annotations

import io
import os
import struct
import zlib

from acnn_mmpose.datasets import (
    CheckBox,
    LoadReadableImage,
    UnreadableImageError,
    read_image,
)
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.image_check import glance_at_images

import cv2
import numpy as np
import pytest
from PIL import Image

GRADIENT = np.linspace(0, 255, 40 * 30 * 3).reshape(40, 30, 3).round().astype(np.uint8)


def write(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize(
    ('name', 'array', 'expected'),
    [
        ('colour.png', GRADIENT[..., ::-1], GRADIENT),
        ('grey.png', GRADIENT[..., 0], GRADIENT[..., [0, 0, 0]]),
        ('rgba.png', np.dstack([GRADIENT[..., ::-1], GRADIENT[..., 0]]), GRADIENT),
        ('16bit.png', GRADIENT[..., 0].astype(np.uint16) * 256 + 7, GRADIENT[..., [0, 0, 0]]),
        ('one.png', GRADIENT[:1, :1, ::-1], GRADIENT[:1, :1]),
        ('wide.png', np.full((2, 20_000, 3), 7, np.uint8), np.full((2, 20_000, 3), 7, np.uint8)),
    ],
)
def test_every_kind_of_image_becomes_bgr(tmp_path, name, array, expected):
    image = read_image(write(tmp_path / name, array))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, expected)


def test_the_orientation_of_exif_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6  # turn by 90 degrees clockwise
    image = read_image(write(tmp_path / 'turned.png', GRADIENT[..., ::-1], exif=exif))
    np.testing.assert_array_equal(image, np.rot90(GRADIENT, -1))


@pytest.mark.parametrize('ending', ['jpg', 'png', 'webp', 'bmp'])
def test_a_cut_off_file_is_unreadable_instead_of_half_grey(tmp_path, ending):
    path = write(tmp_path / f'x.{ending}', GRADIENT)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UnreadableImageError, match=rf'image .*x\.{ending} '):
        read_image(path)


@pytest.mark.parametrize(
    ('content', 'problem'),
    [(None, 'is missing'), (b'', r'is empty \(0 bytes\)'), (b'version https', 'is not an image')],
)
def test_a_file_that_is_no_image_is_named(tmp_path, content, problem):
    path = tmp_path / 'x.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=rf'image .*x\.jpg {problem}'):
        read_image(path)


@pytest.mark.parametrize('kind', ['pipe', 'device', 'folder'])
def test_what_would_be_read_forever_is_named(tmp_path, kind):
    path = tmp_path / 'x.jpg'
    if kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'device':
        path.symlink_to('/dev/zero')
    else:
        path.mkdir()
    with pytest.raises(UnreadableImageError, match=r'x\.jpg is a folder, a pipe or a device, not'):
        read_image(path)


def png_of(width: int, height: int) -> bytes:
    """A PNG file whose header says this size, with hardly any pixels."""
    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    chunks = [(b'IHDR', header), (b'IDAT', zlib.compress(bytes(9)))]
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
        for name, data in chunks
    )


def test_an_image_that_would_fill_the_memory_is_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / 'x.png'
    path.write_bytes(png_of(32_000, 32_000))
    problem = r'x\.png has more than 178,956,970 pixels: shrink it'
    with monkeypatch.context() as patch:
        patch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('decoded'))
        with pytest.raises(UnreadableImageError, match=problem):
            read_image(path)
    assert glance_at_images(tmp_path, ['x.png'])[0].startswith(f'{path} has more than 178,956,970')
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', Image.MAX_IMAGE_PIXELS)  # for the tests after
    monkeypatch.setenv('ACNN_MAX_PIXELS', '1023999998')
    with pytest.raises(
        UnreadableImageError, match=r'has more than 1,023,999,998 pixels: shrink it'
    ):
        read_image(path)
    monkeypatch.setenv('ACNN_MAX_PIXELS', '1024000000')
    assert glance_at_images(tmp_path, ['x.png']) == []
    monkeypatch.setenv('ACNN_MAX_PIXELS', 'many')
    with pytest.raises(ACNNError, match="^ACNN_MAX_PIXELS is 'many', but must be a number"):
        read_image(path)


def test_a_name_that_is_not_utf_8_is_no_hindrance(tmp_path):
    path = tmp_path / os.fsdecode(b'caf\xe9.png')
    assert read_image(write(path, GRADIENT[..., ::-1])).shape == GRADIENT.shape


def test_what_only_pillow_reads_gets_a_remedy(tmp_path):
    path = tmp_path / 'x.tif'
    buffer = io.BytesIO()
    Image.fromarray(GRADIENT[..., 0].astype(np.float32)).save(buffer, 'TIFF')
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UnreadableImageError, match='OpenCV: convert it to jpg or png'):
        read_image(path)


def test_an_image_that_warp_affine_can_not_take_is_refused(tmp_path):
    path = write(tmp_path / 'x.png', np.zeros((1, 32_767), np.uint8))
    with pytest.raises(UnreadableImageError, match=r'has 32767x1 px: shrink it, 32766 px'):
        read_image(path)
    cv2.warpAffine(np.zeros((1, 32_766), np.uint8), np.eye(2, 3), (8, 8))
    if cv2.__version__ < '5':  # which takes larger ones
        with pytest.raises(cv2.error):
            cv2.warpAffine(np.zeros((1, 32_767), np.uint8), np.eye(2, 3), (8, 8))


@pytest.mark.parametrize('shape', [(40, 30), (40, 30, 1), (40, 30, 3), (40, 30, 4)])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_arrays_become_bgr_like_files(shape, dtype):
    array = np.full(shape, 99, np.uint8)
    given = array if dtype == np.uint8 else array.astype(np.uint16) * 256 + 7
    results = LoadReadableImage()(dict(img=given))
    np.testing.assert_array_equal(results['img'], np.full((40, 30, 3), 99, np.uint8))
    assert results['img_shape'] == (40, 30)


@pytest.mark.parametrize(
    'array',
    [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3)), 'x.jpg'],
)
def test_an_array_that_is_no_image_is_refused(array):
    with pytest.raises(ACNNError, match=r'is no image: give height x width x 3 \(BGR\)'):
        LoadReadableImage()(dict(img=array))


@pytest.mark.parametrize(
    ('box', 'problem'),
    [
        ([0, 0, 30, 40], None),
        ([-50, -50, 1, 1], None),
        ([5, 5, 5, 9], 'has no area'),
        ([9, 5, 5, 9], 'has no area'),
        ([float('nan'), 0, 5, 5], 'is not made of finite numbers'),
        ([0, 0, float('inf'), 5], 'is not made of finite numbers'),
        ([30, 0, 40, 5], 'lies outside the image of 30x40 px'),
        ([0, -9, 5, 0], 'lies outside the image of 30x40 px'),
    ],
)
def test_a_box_must_hold_somebody(box, problem):
    results = dict(bbox=np.float32([box]), img_shape=(40, 30), img_path='photo.jpg')
    if problem is None:
        assert CheckBox()(results) is results
        return
    with pytest.raises(ACNNError, match=rf'box \[.*\] of photo.jpg {problem}.*: give x1, y1'):
        CheckBox()(results)
