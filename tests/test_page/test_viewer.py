"""What the page shows, without a page."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.inference import open_source, run_inference
from acnn_mmpose.visualization import AttentionVisualizer
from acnn_mmpose.visualization.paint import CROP_COLOUR

import numpy as np
import pytest
from page import viewer
from page.viewer import Viewer, mark_photo, read_boxes, read_photo, write_boxes
from PIL import Image

NOBODY = np.zeros((0, 4))


@pytest.fixture
def photo(images):
    return read_photo(str(images[0]))


def test_the_json_is_what_infer_writes(app_model, images, photo, tmp_path):
    view = Viewer(app_model).predict(photo, NOBODY)
    source = open_source(str(images[0]))
    run_inference(app_model, source, AttentionVisualizer(), str(tmp_path), with_masks=True)
    (wanted,) = json.loads((tmp_path / 'predictions.json').read_text())['images']
    assert json.loads(view.json) == {key: wanted[key] for key in ('image', 'people')}


def test_every_stage_is_shown_of_every_person(app_model, photo):
    one = Viewer(app_model).predict(photo, read_boxes('5, 5, 60, 90'))
    two = Viewer(app_model).predict(photo, read_boxes('5, 5, 60, 90\n20 5 80 90'))
    assert len(json.loads(two.json)['people']) == 2
    assert len(one.stages) == len(two.stages) == app_model.head.num_stages
    for first, both in zip(one.stages, two.stages):
        assert both.shape[0] > 1.8 * first.shape[0]
    assert one.pose.shape == photo.image.shape
    assert one.masks.shape[1] > one.masks.shape[0]


def test_a_large_photograph_is_drawn_small_and_described_in_its_pixels(
    app_model, photo, monkeypatch
):
    monkeypatch.setattr(viewer, 'MAX_DRAWN_PIXELS', photo.image[..., 0].size // 4)
    view = Viewer(app_model).predict(photo, NOBODY)
    height, width = photo.image.shape[:2]
    assert view.pose.shape[:2] == pytest.approx((height / 2, width / 2), abs=1)
    assert json.loads(view.json)['people'][0]['bbox'] == [0, 0, width, height]


def test_one_photograph_at_a_time(app_model, images):
    """Whoever asks at the same time gets what he would get alone."""
    running, most = [], []

    def find_boxes(frame):
        running.append(frame.name)
        most.append(len(running))
        time.sleep(0.02)
        running.remove(frame.name)
        return np.array([[0, 0, 50, 50]])

    shared = Viewer(app_model, find_boxes)
    photos = [read_photo(str(image)) for image in images]
    alone = [shared.predict(photo, NOBODY).json for photo in photos]
    with ThreadPoolExecutor(6) as pool:
        found = [pool.submit(shared.detect, photo) for photo in photos]
        together = list(pool.map(lambda photo: shared.predict(photo, NOBODY).json, photos))
    assert [boxes.result().tolist() for boxes in found] == [[[0, 0, 50, 50]]] * 3
    assert together == alone
    assert max(most) == 1


def test_nobody_is_detected(app_model, photo):
    with pytest.raises(ACNNError, match='no people were detected: click a box around a person'):
        Viewer(app_model, lambda frame: NOBODY).detect(photo)


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        ('900, 900, 950, 950', 'lies outside the image of'),
        ('50, 5, 20, 40', 'has no area'),
        ('0, 0, nan, 1e300', 'is not made of finite numbers'),
        ('0, 0, 9, 9\n' * 11, '11 boxes are too many: leave at most 10'),
    ],
)
def test_boxes_in_which_nobody_can_be_are_refused(app_model, photo, text, sentence):
    with pytest.raises(ACNNError, match=sentence):
        Viewer(app_model).predict(photo, read_boxes(text))
    mark_photo(photo, read_boxes(text))  # draws those that can be drawn


@pytest.mark.parametrize('line', ['1, 2, 3', '1, 2, 3, 4, 5', 'a, b, c, d', '7'])
def test_lines_that_are_no_boxes(line):
    with pytest.raises(ACNNError, match=f"'{line}' is no box: write x1, y1, x2, y2 in pixels"):
        read_boxes(f'1, 2, 3, 4\n\n{line}')


def test_boxes_that_are_written_can_be_read():
    boxes = np.array([[1.4, 2, 300, 4000], [0, 0, 12345, 1]])
    assert write_boxes(boxes) == '1, 2, 300, 4000\n0, 0, 12345, 1'
    np.testing.assert_array_equal(read_boxes(write_boxes(boxes)), boxes.round())
    assert read_boxes(' \n').shape == (0, 4)


def test_files_that_are_no_photographs(images, tmp_path, monkeypatch):
    """The sentence names the file alone: its folder is nothing to the user."""
    whole = images[0].read_bytes()
    for name, content in (('a.txt', b'text'), ('b.jpg', b''), ('c.jpg', whole[: len(whole) // 2])):
        (tmp_path / name).write_bytes(content)
    Image.new('RGB', (40, 30)).save(tmp_path / 'd.png')
    monkeypatch.setattr(viewer, 'MAX_PIXELS', 1199)
    for name, sentence in {
        'a.txt': 'image a.txt is not an image',
        'b.jpg': 'image b.jpg is empty',
        'c.jpg': 'c.jpg',
        'd.png': 'd.png has 40x30 px: shrink it, 1,199 are allowed',
        'e.png': 'image e.png is missing',
    }.items():
        with pytest.raises(ACNNError, match=f'^{sentence}') as caught:
            read_photo(str(tmp_path / name))
        assert str(tmp_path) not in str(caught.value)


def test_boxes_and_corners_are_drawn(photo):
    before = photo.image.copy()
    marked = mark_photo(photo, read_boxes('10, 20, 50, 120'), [80.4, 30])
    np.testing.assert_array_equal(photo.image, before)
    for x, y in ((10, 100), (50, 100), (30, 20), (30, 120), (80, 30)):
        assert np.abs(marked[y - 1 : y + 2, x - 1 : x + 2] - CROP_COLOUR).sum(-1).min() < 50
