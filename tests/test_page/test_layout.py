"""The page: what its parts do, and a person's visit with a real browser."""

from __future__ import annotations

import functools
import json
import shutil
import socket
import time
from pathlib import Path
from types import SimpleNamespace

from acnn_mmpose.errors import ACNNError

import numpy as np
import pytest
from PIL import Image

gradio = pytest.importorskip('gradio', reason='no gradio: pip install gradio')

import httpx  # noqa: E402
from page import layout  # noqa: E402
from page.viewer import Viewer  # noqa: E402


def at(x: int, y: int) -> SimpleNamespace:
    """A click."""
    return SimpleNamespace(index=[x, y])


def test_two_clicks_are_a_box(images):
    photo, hint = layout.load(str(images[0]))
    height, width = photo.image.shape[:2]
    assert hint.startswith(f'{width} x {height} pixels. Click two opposite corners')
    text, corner, first = layout.click(photo, '', None, at(60, 20))
    assert (text, corner) == ('', [60, 20])
    text, corner, second = layout.click(photo, '1, 2, 3, 4', corner, at(30, 80))
    assert (text, corner) == ('1, 2, 3, 4\n30, 20, 60, 80', None)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ('call', 'sentence'),
    [
        (lambda: layout.load(__file__), 'image test_layout.py is not an image'),
        (lambda: layout.load('<i>.jpg'), 'image &lt;i&gt;.jpg is missing'),
        (lambda: layout.click(None, '', None, at(1, 2)), 'there is no photograph: drop one'),
    ],
)
def test_bad_input_is_a_sentence_of_the_page(call, sentence):
    with pytest.raises(gradio.Error, match=sentence):
        call()


def test_an_empty_page_says_nothing():
    assert layout.load(None) == (None, '')


def test_files_are_limited_and_removed(app_model, monkeypatch):
    monkeypatch.setattr(layout, 'CLEAN_UP', (1, 1))
    with layout.serve(Viewer(app_model), '127.0.0.1') as page:
        folder = Path(page.GRADIO_CACHE)
        assert folder.stat().st_mode & 0o777 == 0o700
        upload = functools.partial(httpx.post, f'{page.local_api_url}upload', timeout=60)
        assert upload(files={'files': bytes(21_000_000)}).status_code == 413
        (file,) = upload(files={'files': ('photo.jpg', b'content')}).json()
        assert folder in Path(file).parents
        deadline = time.monotonic() + 60
        while Path(file).exists():
            assert time.monotonic() < deadline, 'the file stays'
            time.sleep(0.2)
        upload(files={'files': ('photo.jpg', b'content')})
    assert not folder.exists()


def test_an_address_that_is_taken(app_model):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        sentence = 'has no port .* that is free: give another --host or --port'
        served = layout.serve(Viewer(app_model), '127.0.0.1', taken.getsockname()[1])
        with pytest.raises(ACNNError, match=sentence), served:
            pass


def test_a_port_that_does_not_exist(app_model):
    served = layout.serve(Viewer(app_model), '127.0.0.1', 99999)
    with pytest.raises(ACNNError, match='has no port 99999 that is free'), served:
        pass


# --- with a browser ----------------------------------------------------------------------------


@pytest.fixture(scope='module')
def browser():
    playwright = pytest.importorskip(
        'playwright.sync_api', reason='no playwright: pip install playwright'
    )
    names = 'chromium', 'chromium-browser', 'google-chrome'
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip('no chromium: apt-get install chromium')
    with playwright.sync_playwright() as control:
        fakes = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
        started = control.chromium.launch(executable_path=path, args=['--no-sandbox', *fakes])
        yield started
        started.close()


@pytest.fixture(scope='module')
def served(app_model):
    """The page, with a detector that finds somebody in photographs and nobody in the camera's."""

    def find_boxes(frame):
        return np.array([[10, 20, 110, 120]] * (not frame.name.startswith('image')))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, 'MAX_UPLOAD', '1mb')
        with layout.serve(Viewer(app_model, find_boxes), '127.0.0.1') as page:
            yield page


NATURAL_SIZE = 'image => [image.naturalWidth, image.naturalHeight]'


class Visit:
    """A new window on the page, and what a person does there.

    Args:
        browser: Playwright's.
        address: Of the page.
    """

    def __init__(self, browser, address: str) -> None:
        self.window = browser.new_page(viewport={'width': 1280, 'height': 1000})
        self.window.set_default_timeout(60_000)
        self.window.goto(address)
        self.boxes = self.window.get_by_label('Boxes')
        self.picture = self.window.locator('.image-frame.selectable img')

    def drop(self, path) -> None:
        self.window.wait_for_selector('input[type=file]', state='attached')
        self.window.set_input_files('input[type=file]', path)

    def press(self, name: str) -> None:
        self.window.get_by_role('button', name=name).click()

    def read(self, text: str) -> None:
        self.window.get_by_text(text).first.wait_for()

    def click_at(self, *shares: float) -> None:
        """Click on the photograph, at shares of its width and height; wait until it is marked."""
        before, place = self.picture.get_attribute('src'), self.picture.bounding_box()
        shown, size = (place['width'], place['height']), self.picture.evaluate(NATURAL_SIZE)
        factor = min(np.divide(shown, size))  # the rest is border
        x, y = (whole / 2 + (s - 0.5) * n * factor for whole, s, n in zip(shown, shares, size))
        self.picture.click(position={'x': x, 'y': y})
        self.window.wait_for_function(
            "src => document.querySelector('.image-frame.selectable img').src != src", arg=before
        )

    def download(self) -> dict:
        with self.window.expect_download() as download:
            self.press('Download the json')
        assert download.value.suggested_filename == 'prediction.json'
        return json.loads(Path(download.value.path()).read_text())


@pytest.fixture
def visit(browser, served):
    visit = Visit(browser, served.local_url)
    yield visit
    visit.window.close()


@pytest.fixture
def wide(tmp_path) -> Path:
    """A photograph without people."""
    Image.effect_noise((600, 400), 80).save(tmp_path / 'wide.jpg')
    return tmp_path / 'wide.jpg'


def test_a_visit(visit, wide):
    """Drop, click a box, predict, download, move the slider."""
    visit.drop(wide)
    visit.read('600 x 400 pixels. Click two opposite corners')
    visit.click_at(0.75, 0.25)
    visit.click_at(0.25, 0.75)
    visit.press('Predict')
    visit.read('Boxes: 1.')
    (person,) = visit.download()['people']
    np.testing.assert_allclose(person['bbox'], [150, 100, 450, 300], atol=4)
    assert len(person['keypoints']) == 16

    boards = visit.window.locator('img[src*="acnn_page_"]')
    boards.nth(4).wait_for()  # photograph, pose, masks, stage, heatmaps
    last = boards.nth(3).get_attribute('src')
    visit.window.get_by_role('slider').fill('1')
    visit.window.wait_for_function(
        'src => [...document.images].every(image => image.src != src)', arg=last
    )


def test_what_is_refused_is_said_and_the_page_goes_on(visit, tmp_path, wide):
    (tmp_path / 'text.jpg').write_text('no image')
    (tmp_path / 'large.jpg').write_bytes(bytes(1_100_000))
    visit.press('Predict')
    visit.read('there is no photograph: drop one')
    visit.drop(tmp_path / 'text.jpg')
    visit.read('image text.jpg is not an image')
    visit.window.reload()
    visit.drop(tmp_path / 'large.jpg')
    visit.read('exceed the maximum allowed size of 1.0 Mb')
    visit.window.reload()
    visit.drop(wide)
    visit.read('600 x 400 pixels')
    visit.boxes.fill('5000, 5000, 6000, 6000')
    visit.press('Predict')
    visit.read('lies outside the image of 600x400 px')
    visit.boxes.fill('')
    visit.press('Predict')
    visit.read('Box: the whole photograph.')
    assert visit.download()['people'][0]['bbox'] == [0, 0, 600, 400]


def test_people_are_detected_or_not(visit, wide):
    visit.drop(wide)
    visit.read('600 x 400 pixels')
    visit.press('Detect people')
    visit.window.wait_for_function("document.querySelector('textarea').value != ''")
    assert visit.boxes.input_value() == '10, 20, 110, 120'
    visit.window.reload()
    visit.press('Capture from camera')
    visit.press('Click to Access Webcam')
    visit.window.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    visit.window.get_by_label('capture photo').click()
    visit.read('pixels. Click two opposite corners')
    visit.press('Detect people')
    visit.read('no people were detected')


def test_two_visitors_see_their_own_photographs(browser, visit, served, images):
    other = Visit(browser, served.local_url)
    for visitor, image in ((visit, images[0]), (other, images[1])):
        visitor.drop(image)
        visitor.read('pixels. Click two opposite corners')
    visit.press('Predict')
    other.press('Predict')
    for visitor, image in ((visit, images[0]), (other, images[1])):
        visitor.read('Box: the whole photograph.')
        assert visitor.download()['image'] == image.name
    other.window.close()
