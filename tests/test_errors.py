"""Bad input as a user meets it: each ends a tool in one sentence with the culprit and the remedy.

The tools run in this process, with a command line.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import sys
from pathlib import Path
from typing import Callable

from acnn_mmpose.errors import ACNNError

import cv2
import numpy as np
import pytest
import torch
from scipy.io import loadmat, savemat

from tests.conftest import FAST_TRAINING, ROOT

PIPELINE = 'train_dataloader.dataset.pipeline'
PHASES = [ROOT / f'configs/toy/acnn_toy_phase{n}.py' for n in (1, 2, 3)]
OPTIONS = {**FAST_TRAINING, 'visualizer.mode': 'pose'}
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has a GPU')


@pytest.fixture
def data(toy_root, tmp_path, monkeypatch) -> Path:
    """A copy of the toy data, to be damaged."""
    path = shutil.copytree(toy_root, tmp_path / 'data')
    monkeypatch.setenv('ACNN_DATA_ROOT', str(path))
    monkeypatch.chdir(tmp_path)
    return Path(path)


@pytest.fixture
def sentence(monkeypatch) -> Callable[..., str]:
    """Run a tool that must end in a sentence, and return that: sentence('train.py', ...)."""

    def run(tool: str, *args, **options) -> str:
        argv = [tool, *map(str, args)]
        if tool in ('train.py', 'test.py'):
            overrides = {**OPTIONS, **options}
            argv += ['--cfg-options', *(f'{key}={value}' for key, value in overrides.items())]
        monkeypatch.setattr(sys, 'argv', argv)
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
        message = str(caught.value.code)
        assert message.startswith('error: ')
        assert '\n' not in message
        return message

    return run


@pytest.fixture
def config(tmp_path) -> Path:
    """The config of the checkpoints in ``trained``, for tools without --cfg-options."""
    path = tmp_path / 'config.py'
    path.write_text(
        f"_base_ = ['{PHASES[2]}']\n"
        'model = dict(backbone=dict(channels=16), head=dict(in_channels=16))\n'
    )
    return path


def edit_json(path: Path, change) -> None:
    content = json.loads(path.read_text())
    changed = change(content)
    path.write_text(json.dumps(content if changed is None else changed))


def edit_mat(path: Path, change) -> None:
    content = {k: v for k, v in loadmat(path).items() if not k.startswith('__')}
    change(content)
    savemat(path, content)


def drop_two_joints(entries: list) -> None:
    for entry in entries:
        del entry['joints'][14:], entry['joints_vis'][14:]


def drop_a_row(content: dict) -> None:
    for key in ('headboxes_src', 'pos_gt_src'):
        content[key] = content[key][..., 1:]


def swap_rows(content: dict) -> None:
    for key in ('headboxes_src', 'pos_gt_src'):
        content[key] = content[key][..., ::-1]


def in_train(change):
    return lambda data: edit_json(data / 'annotations/mpii_train.json', change)


def in_head_boxes(change):
    return lambda data: edit_mat(data / 'annotations/mpii_gt_val.mat', change)


def delete(name: str):
    return lambda data: (data / name).unlink()


def write(name: str, content: bytes):
    return lambda data: (data / name).write_bytes(content)


@pytest.mark.parametrize(
    ('damage', 'culprit', 'remedy'),
    [
        (
            delete('annotations/mpii_train.json'),
            'mpii_train.json, which does not',
            'ACNN_DATA_ROOT',
        ),
        (
            in_train(lambda _: {'images': [], 'annotations': []}),
            "mpii_train.json is no list of people in MPII's format: make it with",
            'tools/convert_mpii.py',
        ),
        (in_train(lambda _: []), 'mpii_train.json is no list of people', 'tools/convert_mpii.py'),
        (
            in_train(lambda _: [{'file': 'a.jpg', 'points': []}]),
            'mpii_train.json entry 0 has no image, center, scale, joints, joints_vis',
            'tools/convert_mpii.py',
        ),
        (
            write('annotations/mpii_train.json', b'<html>'),
            'mpii_train.json can not be read as json',
            'tools/convert_mpii.py',
        ),
        (
            write('annotations/mpii_train.json', b'[' * 100_000),
            'mpii_train.json can not be read as json',
            'tools/convert_mpii.py',
        ),
        (
            in_train(drop_two_joints),
            r'mpii_train.json entry 0 has 14 joints and 14 .*\(and 23 more prob',
            'tools/check_mpii.py',
        ),
        (
            in_train(lambda entries: entries[3].update(scale=float('nan'))),
            'mpii_train.json entry 3 scale nan is not between 0.01 and 50',
            'tools/check_mpii.py',
        ),
        (
            delete('annotations/mpii_gt_val.mat'),
            'mpii_gt_val.mat, which does not',
            'ACNN_DATA_ROOT',
        ),
        (
            write('annotations/mpii_gt_val.mat', b'no head boxes'),
            'mpii_gt_val.mat can not be read as a MATLAB 5 to 7 file',
            'tools/convert_mpii.py',
        ),
        (
            in_head_boxes(drop_a_row),
            'mpii_gt_val.mat has 7 head boxes but mpii_val.json has 8 entries',
            'tools/convert_mpii.py',
        ),
        (
            in_head_boxes(swap_rows),
            'mpii_gt_val.mat row 0 and mpii_val.json entry 0 are not one person',
            'tools/convert_mpii.py',
        ),
        (
            write('images/100000002.jpg', b''),
            r'images/100000002.jpg is empty \(0 bytes\): restore it',
            'tools/check_mpii.py',
        ),
        (
            lambda data: [path.unlink() for path in (data / 'images').glob('0000000[01]*.jpg')],
            r'images/000000001.jpg is missing \(and 18 more problems\): restore it',
            'tools/check_mpii.py',
        ),
    ],
)
def test_data_are_checked_before_training(sentence, data, damage, culprit, remedy):
    damage(data)
    message = sentence('train.py', PHASES[0])
    assert re.search(culprit, message), message
    assert remedy in message
    assert not (data.parent / 'work_dirs').exists()  # nothing half written


def test_a_wrong_data_root(sentence, data, monkeypatch):
    monkeypatch.setenv('ACNN_DATA_ROOT', 'nowhere')
    message = sentence('train.py', PHASES[0])
    assert 'needs nowhere/annotations/mpii_train.json, which does not exist' in message
    assert 'set the environment variable ACNN_DATA_ROOT' in message


def test_evaluation_refuses_bad_images_before_the_first_forward_pass(sentence, data, trained):
    images = [
        entry['image'] for entry in json.loads((data / 'annotations/mpii_val.json').read_text())
    ]
    cut = data / 'images' / images[2]
    cut.write_bytes(cut.read_bytes()[:-200])
    (data / 'images' / images[5]).unlink()
    message = sentence('test.py', PHASES[2], trained['joint'])
    assert f'images/{images[2]} can not be decoded: image file is truncated' in message
    assert '(and 1 more problem): restore it' in message


def test_an_image_that_breaks_only_when_decoded(sentence, data, trained):
    """A png whose header is whole, in a worker process; the check at the start does not decode."""
    (entry, *_) = json.loads((data / 'annotations/mpii_val.json').read_text())
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    content = cv2.imencode('.png', pixels)[1].tobytes()
    path = data / 'images' / entry['image']
    path.write_bytes(content[: len(content) // 2])
    options = {'test_dataloader.num_workers': 1}
    message = sentence('test.py', PHASES[2], trained['joint'], **options)
    assert message.startswith(f'error: image {path} can not be decoded')


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [
        ('model.phase', 'both', "unknown phase 'both': choose one of ('pose', 'attention'"),
        ('model.backbone.mask_mode', 'sfot', "unknown mask_mode 'sfot': choose one of ('ones'"),
        ('model.backbone.channels', 6, 'channels a positive multiple of 4'),
        ('model.backbone.channels', 32, 'in_channels is 16, but the backbone gives 32: set both'),
        ('model.head.num_stages', 3, 'num_stages is 3, but the backbone gives 2: set both alike'),
        (
            'model.head.out_channels',
            14,
            'dataset has 16 joints, model.head.out_channels is 14: set it to 16',
        ),
        ('model.backbone.stages', 2, "unexpected keyword argument 'stages'"),
        ('model.backbone.depth', 6, 'does not fit an hourglass of depth 6: use a width and a'),
        (
            'model.head.decoder.input_size',
            (96, 96),
            'is (32, 32), but an input_size of',
        ),
        ('model.head.decoder.input_size', 128, 'an input_size of (128,) gives heatmaps of (32,)'),
        (
            f'{PIPELINE}.TopdownCrop.input_size',
            (96.5, 96),
            'of TopdownCrop in the pipeline of train_dataloader is (96.5, 96.0), but model.head',
        ),
        ('custom_hooks.99', 1, '--cfg-options do not fit'),
        ('default_hooks.story_board.type', 'Hok', "default_hooks.story_board names 'Hok', which"),
        ('optim_wrapper.optimizer.type', 'SDG', "names 'SDG', which nobody has registered"),
        ('param_scheduler.0.type', 'StepRL', "names 'StepRL', which nobody has registered"),
        ('val_dataloader.dataset.type', 'Mpi', "val_dataloader.dataset names 'Mpi', which nobody"),
        ('val_evaluator.type', 'Metrik', "val_evaluator names 'Metrik', which nobody has"),
        (
            f'{PIPELINE}.LoadReadableImage.type',
            'LoadPicture',
            "the pipeline of train_dataloader names 'LoadPicture', which nobody has",
        ),
    ],
)
def test_values_of_a_config(sentence, data, option, value, message):
    said = sentence('train.py', PHASES[0], **{option: str(value).replace(' ', '')})
    culprit = option.split('.')[-1] if option != 'custom_hooks.99' else 'phase1.py'
    assert message in said
    assert culprit in said or option == 'model.head.decoder.input_size'


def test_a_pipeline_of_another_size_than_the_network(sentence, data, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(
        f"_base_ = ['{PHASES[0]}']\n"
        'sizes = dict(input_size=(192, 192), heatmap_size=(48, 48))\n'
        "model = dict(head=dict(decoder=dict(type='MSRAHeatmap', sigma=1, **sizes)))\n"
    )
    message = sentence('train.py', path)
    assert (
        'the input_size of TopdownCrop in the pipeline of train_dataloader is (128, 128)' in message
    )
    assert 'has (192, 192): set both to the same codec' in message


@pytest.mark.parametrize(
    ('text', 'culprit'),
    [
        (None, 'config file broken.py does not exist'),
        ('x = (', 'broken.py can not be read as a config (SyntaxError'),
        ("custom_imports = dict(imports=['no_such_module'])", 'broken.py can not be read as a'),
        ('x = 1 / 0', 'broken.py can not be read as a config (ZeroDivisionError'),
        ('x = 1', 'broken.py has no model: give a config that trains'),
    ],
)
@pytest.mark.parametrize('tool', ['train.py', 'test.py', 'infer.py', 'visualize.py'])
def test_a_config_that_can_not_be_used(sentence, data, tool, text, culprit):
    if text is not None:
        Path('broken.py').write_text(text)
    arguments = {'train.py': [], 'test.py': ['x.pth']}.get(tool, ['x.pth', 'x.png'])
    assert culprit in sentence(tool, 'broken.py', *arguments)


def test_pckh_without_head_boxes(sentence, data):
    message = sentence('train.py', PHASES[0], **{'val_dataloader.dataset.headbox_file': ''})
    assert 'MpiiPCKhTable needs the size of heads: set val_dataloader.dataset.headbox' in message


def test_phase_2_without_or_with_a_foreign_checkpoint(sentence, data, trained):
    message = sentence('train.py', PHASES[1])
    assert "'attention' must start from the last checkpoint of phase 'pose'" in message
    assert '--cfg-options load_from=' in message
    torch.save({'state_dict': {'x': torch.zeros(1)}}, 'foreign.pth')
    message = sentence('train.py', PHASES[1], load_from='foreign.pth')
    assert 'foreign.pth does not fit the model: missing: ' in message
    assert 'with the same num_stages, channels, depth and joints is expected' in message


@pytest.mark.parametrize(
    ('key', 'head_key', 'value'), [('num_stages', 'num_stages', 3), ('channels', 'in_channels', 32)]
)
def test_a_checkpoint_of_another_network(sentence, data, config, trained, key, head_key, value):
    config.write_text(
        f'{config.read_text()}model["backbone"]["{key}"] = model["head"]["{head_key}"] = {value}\n'
    )
    message = sentence('infer.py', config, trained['joint'], data / 'images/000000001.jpg')
    assert 'epoch_2.pth does not fit the model: ' in message
    assert 'with the same num_stages, channels, depth and joints is expected' in message


@NO_GPU
@pytest.mark.parametrize('tool', ['infer.py', 'visualize.py'])
@pytest.mark.parametrize('device', ['cuda', 'cuda:3', 'gpu'])
def test_a_device_that_is_not_there(sentence, data, config, trained, tool, device):
    picture = 'x.png' if tool == 'visualize.py' else data / 'images/000000001.jpg'
    message = sentence(tool, config, trained['joint'], picture, '--device', device)
    assert f'device {device} can not be used (' in message
    assert message.endswith(': use --device cpu')


@NO_GPU
def test_a_launcher_that_needs_a_gpu(sentence, data):
    message = sentence('train.py', PHASES[0], '--launcher', 'slurm')
    assert "launcher 'slurm' needs a GPU, and torch sees none" in message


@pytest.mark.parametrize(
    ('boxes', 'culprit'),
    [
        ([500, 500, 600, 600], r'000000001.jpg: box \[500, 500, 600, 600\] lies outside the image'),
        ([10, 10, 10, 50], r'box 0 of 000000001.jpg in boxes.json has no area'),
        ([50, 50, 10, 10], r'box 0 of 000000001.jpg in boxes.json has no area'),
        ([float('nan'), 1, 2, 3], r'box 0 of 000000001.jpg in boxes.json is not made of finite'),
        (
            [1, 2, 3],
            r'boxes.json can not be read as boxes .* must hold {"name.jpg": \[\[x1, y1, x2, y2\]',
        ),
    ],
)
def test_boxes_that_hold_nobody(sentence, data, config, trained, boxes, culprit):
    Path('boxes.json').write_text(json.dumps({'000000001.jpg': [boxes]}))
    image = data / 'images/000000001.jpg'
    message = sentence('infer.py', config, trained['joint'], image, '--boxes', 'boxes.json')
    assert re.search(culprit, message), message
    assert 'x1, y1, x2, y2' in message


@pytest.mark.parametrize(
    ('source', 'content', 'culprit', 'remedy'),
    [
        ('nowhere', None, 'nowhere does not exist', 'give an image, a folder, a video or a webcam'),
        ('empty/', None, 'empty/ holds no image files', 'give a folder of jpg or png files'),
        ('film.mp4', b'no video', 'film.mp4 has no frame that can be read: ', 'convert it to mp4'),
        ('film.avi', b'', 'film.avi has no frame that can be read: ', 'convert it to mp4'),
        ('photo.jpg', b'no image', 'no image could be read: image photo.jpg is not an image', ''),
    ],
)
def test_sources_that_hold_nothing(
    sentence, data, config, trained, source, content, culprit, remedy
):
    if source.endswith('/'):
        Path(source).mkdir()
    elif content is not None:
        Path(source).write_bytes(content)
    message = sentence('infer.py', config, trained['joint'], source)
    assert culprit in message
    assert remedy in message


@pytest.mark.parametrize(
    ('tool', 'arguments', 'remedy'),
    [
        ('infer.py', ['{config}', '{joint}', '{image}', '--out-dir'], '--out-dir'),
        ('train.py', ['{phase}', '--work-dir'], '--work-dir'),
        ('test.py', ['{phase}', '{joint}', '--work-dir'], '--work-dir'),
        ('test.py', ['{phase}', '{joint}', '--show-dir'], 'choose another one'),
        ('test.py', ['{phase}', '{joint}', '--submission'], 'choose another one'),
        ('test.py', ['{phase}', '{joint}', '--out', '/x.json'], 'choose another one'),
        ('test.py', ['{phase}', '{joint}', '--dump', '/x.npz'], 'choose another one'),
        ('visualize.py', ['{config}', '{joint}', '/x.png'], 'choose another one'),
    ],
)
@pytest.mark.parametrize('is_file', [True, False])
def test_an_output_folder_that_is_not_writable(
    sentence, data, config, trained, monkeypatch, tool, arguments, remedy, is_file
):
    folder = Path('output')
    if is_file:
        folder.touch()
    else:
        folder.mkdir()
        access = os.access
        monkeypatch.setattr(
            os, 'access', lambda path, mode: str(path) != 'output' and access(path, mode)
        )
    names = dict(
        config=config,
        joint=trained['joint'],
        image=data / 'images/000000001.jpg',
        phase=PHASES[2],
    )
    arguments = [argument.format(**names) for argument in arguments]
    if arguments[-1].startswith('/'):
        arguments[-1] = f'output{arguments[-1]}'
    else:
        arguments.append('output')
    message = sentence(tool, *arguments)
    assert 'output can not be made' in message if is_file else 'output is not writable' in message
    assert remedy in message


@pytest.mark.parametrize('count', [0, -1])
def test_a_picture_of_nobody(sentence, data, config, trained, count):
    message = sentence('visualize.py', config, trained['joint'], 'x.png', '--num-people', count)
    assert f'at least one person, but got {count}' in message


def test_an_error_from_a_worker_process_is_one_sentence():
    text = (
        'Caught ACNNError in DataLoader worker process 0.\n'
        'Original Traceback (most recent call last):\n  ...\n'
        'acnn_mmpose.errors.ACNNError: image x.jpg is missing\n'
    )
    assert str(ACNNError(text)) == 'image x.jpg is missing'
