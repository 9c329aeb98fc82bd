"""Importing MMPose on an incomplete stack, and loading checkpoints safely."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

from acnn_mmpose import compat
from acnn_mmpose.compat import load_safely

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmpose.visualization import PoseLocalVisualizer

BREAK_TORCHVISION = """
import sys, types
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'torchvision':
            raise {error}
sys.meta_path.insert(0, Finder())
"""


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    'error',
    [
        "ModuleNotFoundError('No module named torchvision')",
        "RuntimeError('operator torchvision::nms does not exist')",
        "OSError('libcudart.so: cannot open shared object file')",
    ],
)
def test_mmpose_imports_without_a_working_torchvision(error):
    done = run(
        BREAK_TORCHVISION.format(error=error)
        + """
import acnn_mmpose, mmpose.apis, mmpose.models, mmpose.visualization
import torchvision.transforms
try:
    torchvision.transforms.ToPILImage()
except ImportError as e:
    print('refused:', e)
"""
    )
    assert done.returncode == 0, done.stderr
    assert 'refused: torchvision.transforms.ToPILImage was called, but torchvision' in done.stdout


def test_without_mmpose_an_import_names_the_commands_that_install_it():
    done = run("""
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *args: None if name in ('mmcv', 'mmpose') else find(name, *args)
import acnn_mmpose
import acnn_mmpose.engine
""")
    (*_, said) = done.stderr.splitlines()
    assert 'is not installed: in acnn_mmpose' in said
    for file in ('environment', 'openmmlab'):
        assert f'-r requirements/{file}.txt' in said


def test_every_module_imports_with_what_mmpose_brings_along():
    done = run("""
import sys
for name in ('gradio', 'onnx', 'onnxruntime', 'pandas', 'safetensors', 'tabulate'):
    sys.modules[name] = None
import importlib, pkgutil, acnn_mmpose
for module in pkgutil.walk_packages(acnn_mmpose.__path__, 'acnn_mmpose.'):
    importlib.import_module(module.name)
""")
    assert done.returncode == 0, done.stderr


def test_mmcv_operators_say_that_they_are_missing():
    done = run("""
import acnn_mmpose, mmcv
if '_ext' in vars(mmcv):
    print('full mmcv')
else:
    from mmcv.ops import soft_nms
    import torch
    try:
        soft_nms(torch.rand(2, 4), torch.rand(2), 0.5)
    except ImportError as e:
        print('refused:', e)
""")
    assert done.returncode == 0, done.stderr
    assert 'full mmcv' in done.stdout or 'install full mmcv' in done.stdout


def test_import_order_mmengine_first_is_fine():
    done = run('import mmengine, mmpose, acnn_mmpose; from mmpose.models import HRNet')
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=sorted({False, compat.LOADS_SAFELY}))
def _either_loader(request, monkeypatch):
    """Load as with torch < 2.6, too, which can't be told which types are harmless."""
    monkeypatch.setattr(compat, 'LOADS_SAFELY', request.param)


@pytest.mark.usefixtures('_either_loader')
def test_a_message_hub_survives_a_checkpoint(tmp_path):
    hub = MessageHub.get_instance(str(tmp_path))
    for value in (1.0, 2.5, 4.0):
        hub.update_scalar('train/loss', value)
    hub.update_info('best_score', np.float64(61.5))
    torch.save(dict(hub=hub.state_dict(), array=np.arange(3), dtype=np.dtype('i4')), tmp_path / 'a')
    loaded = load_safely(tmp_path / 'a')
    scalar = loaded['hub']['log_scalars']['train/loss']
    assert isinstance(scalar, HistoryBuffer)
    assert scalar.data[0].tolist() == [1.0, 2.5, 4.0]
    assert loaded['hub']['runtime_info']['best_score'] == 61.5
    assert loaded['array'].tolist() == [0, 1, 2]
    assert loaded['dtype'] == np.int32


class RunsACommand:
    def __reduce__(self):
        return os.system, ('touch pwned',)


class LooksUpAnAttribute:
    """What a restricted getattr must refuse: a way to any function."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


@pytest.mark.usefixtures('_either_loader')
@pytest.mark.parametrize('payload', [RunsACommand(), LooksUpAnAttribute()])
def test_a_malicious_checkpoint_is_refused(tmp_path, monkeypatch, payload):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict={}, meta=payload), 'evil.pth')
    with pytest.raises(pickle.UnpicklingError):
        load_safely(Path('evil.pth'))
    assert not (tmp_path / 'pwned').exists()


@pytest.mark.usefixtures('_either_loader')
def test_a_script_is_refused(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), str(tmp_path / 'script.pth'))
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        load_safely(tmp_path / 'script.pth')


@pytest.mark.usefixtures('_either_loader')
def test_a_checkpoint_of_the_runner_loads(trained):
    content = load_safely(trained['joint'])
    assert {'state_dict', 'optimizer', 'param_schedulers', 'message_hub'} <= set(content)


def test_the_import_warns_of_nothing():
    done = run("""
import acnn_mmpose
from mmengine.utils import is_installed
is_installed('mmengine')  # as every reading of a config asks, which loads pkg_resources anew
""")
    assert (done.returncode, done.stderr) == (0, '')


def test_a_joint_is_drawn_whatever_numpy_makes_of_its_radius():
    """MMPose gives OpenCV a radius as an array of one, of which numpy >= 2.5 makes no int."""
    visualizer = PoseLocalVisualizer(name='circles', backend='opencv')
    visualizer.set_image(np.zeros((9, 9, 3), np.uint8))
    visualizer.draw_circles(np.array([4.0, 4.0]), np.array([2]), face_colors=(9, 9, 9), alpha=1.0)
    assert visualizer.get_image()[4, 4].tolist() == [9, 9, 9]


def test_installing_again_changes_nothing():
    once = PoseLocalVisualizer.draw_circles
    compat.install()
    assert PoseLocalVisualizer.draw_circles is once
