"""The command lines, run as a user runs them.

Shell scripts, which run train.py and test.py, and MMPose's own scripts are processes of their own.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import mmpose
import numpy as np
import pytest
import torch

from .commands import run_here
from .conftest import FAST_TRAINING, ROOT

OPTIONS = ['--cfg-options', *(f'{key}={value}' for key, value in FAST_TRAINING.items())]
PHASES = [str(ROOT / f'configs/toy/acnn_toy_phase{n}.py') for n in (1, 2, 3)]


@pytest.fixture
def run(toy_root, tmp_path, capfd):
    """Run a tool from a foreign directory: run('train.py', ...)."""

    def call(tool: str, *args, data: Path = toy_root) -> subprocess.CompletedProcess:
        program = str(ROOT / 'tools' / tool)
        if tool.endswith('.py'):
            return run_here(capfd, tmp_path, program, *args, ACNN_DATA_ROOT=data)
        environment = dict(os.environ, ACNN_DATA_ROOT=str(data), PYTHON=sys.executable)
        return subprocess.run(
            ['bash', program, *map(str, args)],
            cwd=tmp_path,
            env=dict(environment, OMP_NUM_THREADS='1'),
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def test_all_phases_then_test_with_two_cpu_processes(run, tmp_path):
    done = run('dist_train.sh', *PHASES, 2, '--work-dir', 'out', *OPTIONS)
    assert done.returncode == 0, done.stderr[-3000:]
    checkpoint = tmp_path / 'out/acnn_toy_phase3/epoch_2.pth'
    assert torch.load(checkpoint)['meta']['acnn_phase'] == 'joint'
    # DistributedDataParallel(find_unused_parameters=False) ends with an error otherwise
    assert 'find_unused' not in done.stderr
    assert 'Grad strides' not in done.stderr  # DistributedDataParallel copies gradients otherwise

    # two processes log one line per epoch, and draw one story board
    (log,) = (tmp_path / 'out/acnn_toy_phase3').glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line['epoch'] for line in lines if 'mask1_coverage' in line] == [1, 2]
    assert len(list(log.parent.glob('vis_image/stories_*.png'))) == 1
    done = run('plot_log.py', *(f'out/acnn_toy_phase{n}' for n in (1, 2, 3)), 'log.png')
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / 'log.png').stat().st_size > 20_000

    done = run('dist_test.sh', PHASES[2], checkpoint, 2, '--out', 'two.json', *OPTIONS)
    assert done.returncode == 0, done.stderr[-3000:]
    done = run('test.py', PHASES[2], checkpoint, '--out', 'one.json', '--dump', 'p.npz', *OPTIONS)
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (json.loads((tmp_path / f'{n}.json').read_text()) for n in ('one', 'two'))
    assert one == pytest.approx(two)
    assert len(np.load(tmp_path / 'p.npz')['preds']) == 8


def test_a_rate_for_no_batch_is_not_scaled(monkeypatch):
    words = ['train.py', PHASES[0], '--auto-scale-lr', '--cfg-options', 'auto_scale_lr=None']
    monkeypatch.setattr(sys, 'argv', words)
    with pytest.raises(SystemExit, match='error: .* has no auto_scale_lr: say which batch'):
        runpy.run_path(str(ROOT / 'tools/train.py'), run_name='__main__')


@pytest.mark.parametrize('words', ['train.py c.py', 'test.py c.py w', 'cache_crops.py c.py out'])
def test_an_option_without_a_value(words, monkeypatch):
    tool, *rest = words.split()
    monkeypatch.setattr(sys, 'argv', [tool, *rest, '--cfg-options', 'train_cfg.max_epochs', '3'])
    with pytest.raises(SystemExit, match='error: --cfg-options can not .* write them as KEY=VALUE'):
        runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')


def test_train_resume_and_flags(run, tmp_path):
    args = ['train.py', PHASES[0], '--work-dir', 'out', '--auto-scale-lr', '--no-validate']
    assert run(*args, *OPTIONS).returncode == 0
    again = run(*args, '--resume', *OPTIONS)
    assert again.returncode == 0, again.stderr[-3000:]
    assert 'out is finished: skipped' in again.stdout + again.stderr


def test_visualize_and_infer_write_pictures(run, tmp_path, trained):
    cfg = tmp_path / 'cfg.py'
    cfg.write_text(
        f"_base_ = ['{PHASES[2]}']\n"
        'model = dict(backbone=dict(channels=16), head=dict(in_channels=16))\n'
    )
    done = run('visualize.py', cfg, trained['joint'], 'a/b.png', '--num-people', 2)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / 'a/b.png').stat().st_size > 10_000

    (tmp_path / 'a' / os.fsdecode(b'caf\xe9.jpg')).touch()
    (tmp_path / 'boxes.json').write_text('{"b.png": [[0, 0, 90, 90]], "typo.png": []}')
    args = ['--out-dir', 'o', '--masks', '--boxes', 'boxes.json']
    done = run('infer.py', cfg, trained['joint'], tmp_path / 'a', *args)
    assert done.returncode == 0, done.stderr[-3000:]
    assert r'caf\udce9.jpg is empty' in done.stdout
    assert '1 images of boxes.json are not there:\ntypo.png' in done.stdout
    assert '1 images, 1 people: o' in done.stdout
    assert 'img/s' in done.stderr
    (image,) = json.loads((tmp_path / 'o/predictions.json').read_text())['images']
    assert image['people'][0]['masks'][0]['size'] == [32, 32]
    done = run('infer.py', cfg, trained['joint'], 'x', '--detector', 'x.py')
    assert 'error: --detector and --detector-checkpoint belong together' in done.stderr


@pytest.mark.parametrize(
    ('args', 'sentence'),
    [
        (['train.py', 'nowhere.py'], 'error: config file nowhere.py does not exist'),
        (['test.py', PHASES[0], 'nowhere.pth'], 'error: checkpoint nowhere.pth does not exist'),
        (['dist_train.sh', 'nowhere.py', '2'], 'error: config file nowhere.py does not exist'),
        (['dist_test.sh', PHASES[0], 'nowhere.pth', '2'], 'error: nowhere.pth does not exist'),
        (['plot_log.py', 'nowhere', 'x.png'], 'error: nowhere holds no log of a training'),
        (['plot_log.py', 'a', 'b'], 'error: b must end in .png, .pdf, .svg: name the picture last'),
        (['make_toy_data.py', 'x', '--num-train', '0'], 'error: num_train must lie between'),
    ],
)
def test_bad_input_ends_in_one_sentence(run, args, sentence):
    done = run(*args)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    ('args', 'sentence'),
    [
        ([], 'error: there are no weights: give a config and a checkpoint'),
        (['c.py'], 'error: there are no weights: give a config and a checkpoint'),
        (['x', 'y', '--detector', 'z'], 'error: --detector and --detector-checkpoint belong'),
        (['x', 'y'], "error: the page needs gradio: pip install 'gradio"),
    ],
)
def test_the_page_lacks_something(args, sentence, tmp_path, monkeypatch):
    """In this process, and beside no folder of weights."""
    (tmp_path / 'tools').mkdir()
    shutil.copy(ROOT / 'tools/app.py', tmp_path / 'tools')
    monkeypatch.delitem(sys.modules, 'page.layout', raising=False)
    monkeypatch.setitem(sys.modules, 'gradio', None)
    monkeypatch.setattr(sys, 'argv', ['app.py', *args])
    with pytest.raises(SystemExit, match=re.escape(sentence)):
        runpy.run_path(str(tmp_path / 'tools/app.py'), run_name='__main__')


@pytest.mark.parametrize('tool', ['visualize.py', 'infer.py'])
def test_pictures_of_a_network_that_does_not_fit_are_refused(run, tool, trained, toy_root):
    picture = 'x.png' if tool == 'visualize.py' else toy_root / 'images/000000001.jpg'
    done = run(tool, PHASES[2], trained['joint'], picture)
    assert done.returncode == 1
    assert 'error: ' in done.stderr
    assert 'epoch_2.pth does not fit the model: shape' in done.stderr


def test_missing_data_ends_in_one_sentence(run, tmp_path):
    done = run('train.py', PHASES[0], data=tmp_path / 'nothing')
    assert done.returncode == 1
    assert 'mpii_train.json, which does not exist' in done.stderr
    assert 'Traceback' not in done.stderr


def test_mmposes_own_train_script_runs_our_configs(tmp_path, toy_root):
    """What `mim train mmpose CONFIG` calls."""
    script = Path(mmpose.__file__).parent / '.mim/tools/train.py'
    done = subprocess.run(
        [sys.executable, str(script), PHASES[0], '--local-rank', '0', *OPTIONS],
        cwd=tmp_path,
        env=dict(os.environ, ACNN_DATA_ROOT=str(toy_root), OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / 'work_dirs/acnn_toy_phase1/epoch_2.pth').is_file()


def test_mmposes_own_browser_shows_our_data(tmp_path, toy_root):
    script = Path(mmpose.__file__).parent / '.mim/tools/misc/browse_dataset.py'
    options = ['--output-dir', 'out', '--not-show', '--max-item-per-dataset', '2']
    done = subprocess.run(
        [sys.executable, str(script), PHASES[2], *options],
        cwd=tmp_path,
        env=dict(os.environ, ACNN_DATA_ROOT=str(toy_root), OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list((tmp_path / 'out').iterdir())) == 2


@pytest.mark.parametrize(
    ('tool', 'args'),
    [
        ('dist_train.sh', []),
        ('dist_train.sh', [PHASES[0]]),
        ('dist_test.sh', [PHASES[0], '2', 'swapped.pth']),
        ('slurm_train.sh', []),
    ],
)
def test_scripts_with_wrong_arguments_say_how_to_call_them(run, tool, args):
    done = run(tool, *args)
    assert done.returncode == 2
    assert f'tools/{tool}' in done.stderr


def test_crops_are_cached_and_trained_on(run, tmp_path):
    done = run('cache_crops.py', PHASES[0], 'crops')
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == '24 crops in crops, 0.0 GB'
    option = 'train_dataloader.dataset.pipeline.LoadReadableImage.crop_cache=crops'
    done = run('train.py', PHASES[0], '--no-validate', *OPTIONS, option)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'crop_cache' in done.stdout + done.stderr
    assert 'have changed' not in done.stdout + done.stderr
