"""The page of ``tools/app.py``; needs gradio, the extra ``app``."""

from __future__ import annotations

import functools
import html
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.inference import Frame

import gradio as gr
import numpy as np

from .viewer import Viewer, mark_photo, read_boxes, read_photo, write_boxes

MAX_UPLOAD = '20mb'
MAX_SESSIONS = 20  # whose photographs are in memory
CLEAN_UP = 60, 300  # every so many seconds, files older than so many are removed
HINT = (
    '{} x {} pixels. Click two opposite corners of a box around each person, or write boxes; '
    'without any, the whole photograph is the box.'
)
SAVE = """text => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], {type: 'application/json'}));
    link.download = 'prediction.json';
    link.click();
}"""


def tell(function: Callable) -> Callable:
    """Make the page show an :class:`ACNNError`."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except ACNNError as error:
            sentence = html.escape(str(error), quote=False)
            raise gr.Error(sentence, duration=None, print_exception=False) from error

    return call


@tell
def load(path: str | None) -> tuple[Frame | None, str]:
    """Read what was uploaded, and say what can be done with it."""
    if path is None:
        return None, ''
    photo = read_photo(path)
    return photo, HINT.format(*photo.image.shape[1::-1])


@tell
def click(
    photo: Frame | None, text: str, corner: list[float] | None, event: gr.SelectData
) -> tuple[str, list[float] | None, np.ndarray]:
    """Keep the first corner of a box; with the second one, add the box to the text."""
    photo, boxes = require(photo), read_boxes(text)
    if corner is None:
        return text, event.index, mark_photo(photo, boxes, event.index)
    box = [*np.minimum(corner, event.index), *np.maximum(corner, event.index)]
    boxes = np.concatenate([boxes, [box]])
    return write_boxes(boxes), None, mark_photo(photo, boxes)


def require(photo: Frame | None) -> Frame:
    """Return the photograph; refuse to go on without."""
    if photo is None:
        raise ACNNError('there is no photograph: drop one, or take one with the camera')
    return photo


def build_page(viewer: Viewer) -> gr.Blocks:
    """Lay out the page, and say what its parts do."""

    @tell
    def detect(photo: Frame | None) -> tuple[str, np.ndarray]:
        photo = require(photo)
        boxes = viewer.detect(photo)
        return write_boxes(boxes), mark_photo(photo, boxes)

    @tell
    def predict(photo: Frame | None, text: str, stage: int) -> tuple[Any, ...]:
        photo, boxes = require(photo), read_boxes(text)
        view = viewer.predict(photo, boxes)
        where = f'Boxes: {len(boxes)}.' if len(boxes) else 'Box: the whole photograph.'
        return mark_photo(photo, boxes), where, *view, view.stages[stage - 1]

    picture: dict[str, Any] = dict(format='jpeg', buttons=['download', 'fullscreen'])
    with gr.Blocks(title='ACNN', analytics_enabled=False, delete_cache=CLEAN_UP) as page:
        photo, corner, stages = gr.State(), gr.State(), gr.State()
        gr.Markdown('# What ACNN attends to')
        with gr.Row():
            with gr.Column():
                upload = gr.Image(
                    label='Photograph', sources=['upload', 'webcam'], height=480, **picture
                )
                # the file's path: gradio has no sentence for a file that is no image
                upload.preprocess = lambda payload: payload and payload.path
                hint = gr.Markdown()
                text = gr.Textbox(label='Boxes: x1, y1, x2, y2 in pixels, one per line', lines=2)
                with gr.Row():
                    detected = gr.Button('Detect people', visible=viewer.find_boxes is not None)
                    predicted = gr.Button('Predict', variant='primary')
            with gr.Column():
                pose = gr.Image(label='Pose: joints of a score above 0.3', height=480, **picture)
                said = gr.Markdown()
        gr.Markdown('### Masks: blue is what a stage does not hand on')
        masks = gr.Image(show_label=False, **picture)
        gr.Markdown('### Stage by stage: what the one before hands on, and what it predicts')
        stage = gr.Slider(1, viewer.num_stages, viewer.num_stages, step=1, label='Stage')
        board = gr.Image(show_label=False, **picture)
        gr.Markdown('### Heatmaps')
        heatmaps = gr.Image(show_label=False, **picture)
        with gr.Accordion('json', open=False):
            json = gr.Code(language='json', show_label=False)
        saved = gr.Button('Download the json')

        shown = [said, pose, masks, heatmaps, stages, json, board]
        cleared = [photo, corner, text, hint, *shown]
        in_turn: dict[str, Any] = dict(concurrency_id='network', concurrency_limit=1)
        upload.input(lambda: [None] * len(cleared), None, cleared).then(load, upload, [photo, hint])
        upload.select(click, [photo, text, corner], [text, corner, upload], show_progress='hidden')
        detected.click(detect, photo, [text, upload], show_progress_on=text, **in_turn)
        predicted.click(
            predict, [photo, text, stage], [upload, *shown], show_progress_on=pose, **in_turn
        )
        stage.change(
            lambda pictures, stage: pictures and pictures[stage - 1],
            [stages, stage],
            board,
            show_progress='hidden',
            trigger_mode='always_last',
        )
        saved.click(None, json, None, js=SAVE)
    return page


@contextmanager
def serve(viewer: Viewer, host: str, port: int | None = None) -> Iterator[gr.Blocks]:
    """Serve the page; its files lie in a folder of their own, which is removed at the end.

    Args:
        viewer: What predicts.
        host: The address to listen at.
        port: By default the first free one from 7860.

    Raises:
        ACNNError: If that is not possible.
    """
    with tempfile.TemporaryDirectory(prefix='acnn_page_') as folder:
        os.environ.update(GRADIO_TEMP_DIR=folder, GRADIO_RUN_HISTORY='False')
        page = build_page(viewer).queue(max_size=MAX_SESSIONS)
        try:
            page.launch(
                server_name=host,
                server_port=port,
                max_file_size=MAX_UPLOAD,
                state_session_capacity=MAX_SESSIONS,
                footer_links=[],
                share=False,
                ssr_mode=False,
                prevent_thread_lock=True,
                quiet=True,
            )
        except (OSError, OverflowError) as error:  # the latter: a port above 65535
            raise ACNNError(
                f'{host} has no port {port or 7860} that is free: give another --host or --port'
            ) from error
        try:
            yield page
        finally:
            page.close(verbose=False)
