"""Damage is noticed, and no way to hand a checkpoint over runs a stranger's code."""

from __future__ import annotations

import os
import runpy
import shutil
import sys
from pathlib import Path

from acnn_mmpose import engine
from acnn_mmpose.checkpoints.load import load_from_local
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.inference import DetectorBoxes

import mmdet
import mmengine.runner.checkpoint
import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader

from tests.conftest import ROOT, edit


def test_a_flipped_bit_in_the_weights_is_noticed(trained, tmp_path):
    """torch.load does not: it never reads the checksums that it writes."""
    content = bytearray(trained['joint'].read_bytes())
    key = 'head.multi_final_layers.0.weight'
    weight = torch.load(trained['joint'])['state_dict'][key]
    content[content.index(weight.numpy().tobytes())] ^= 1
    (tmp_path / 'a.pth').write_bytes(content)
    assert not torch.equal(torch.load(tmp_path / 'a.pth')['state_dict'][key], weight)
    with pytest.raises(ACNNError, match=r'a.pth is damaged .*data.* differs from its checksum'):
        load_from_local(str(tmp_path / 'a.pth'))


@pytest.mark.parametrize(
    'entry',
    [
        {'acnn_phase': torch.zeros(2)},
        {'acnn_mask_branch': {'init_bias': np.zeros(2)}},
        {7: 'x'},
    ],
)
def test_a_meta_that_no_run_writes_is_refused(trained, tmp_path, entry):
    file = edit(trained['joint'], tmp_path / 'odd.pth', lambda c: c['meta'].update(entry))
    with pytest.raises(ACNNError, match='odd.pth is not as this package writes it .TypeError'):
        load_from_local(file)


class TouchesAFile:
    def __reduce__(self):
        return os.system, ('touch ran_code',)


@pytest.fixture
def evil(trained, tmp_path, monkeypatch) -> str:
    """A checkpoint that leaves the file ran_code if its code runs; the work dir is tmp_path."""
    monkeypatch.chdir(tmp_path)
    torch.save({**torch.load(trained['joint']), 'extra': TouchesAFile()}, 'evil.pth')
    yield 'evil.pth'
    assert not Path('ran_code').exists()


REFUSED = r'evil.pth is not a checkpoint, .*, and is refused: it asks for \S+( \(https.*)?$'


def test_the_checkpoint_would_run_its_code(evil):
    torch.load(evil, weights_only=False)
    assert Path('ran_code').exists()
    Path('ran_code').unlink()


@pytest.mark.parametrize(
    ('tool', 'args'),
    [
        ('train.py', ['config.py', '--cfg-options', 'load_from=evil.pth']),
        ('train.py', ['config.py', '--resume', 'evil.pth']),
        ('test.py', ['config.py', 'evil.pth']),
        ('infer.py', ['config.py', 'evil.pth', 'image.jpg']),
        ('app.py', ['config.py', 'evil.pth']),
        ('visualize.py', ['config.py', 'evil.pth', 'out.png']),
        ('publish.py', ['evil.pth', 'out']),
        ('export_onnx.py', ['config.py', 'evil.pth', 'out.onnx']),
    ],
)
def test_every_tool_that_loads_checkpoints_refuses_it(
    evil, toy_config, images, monkeypatch, capsys, tool, args
):
    if tool == 'app.py':
        pytest.importorskip('gradio')
    shutil.copy(images[0], 'image.jpg')
    toy_config(3).dump('config.py')
    monkeypatch.setattr(sys, 'argv', [tool, *args])
    with pytest.raises(SystemExit, match=f'error: {REFUSED}'):
        runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')


def test_no_other_tool_takes_a_checkpoint():
    """A new one belongs into the list above."""
    takers = {path.name for path in ROOT.glob('tools/*.py') if 'CHECKPOINT' in path.read_text()}
    takers |= {path.name for path in ROOT.glob('tools/*.py') if "'checkpoint'" in path.read_text()}
    assert takers == {
        'train.py',
        'test.py',
        'infer.py',
        'app.py',
        'visualize.py',
        'publish.py',
        'export_onnx.py',
    }


def test_a_detectors_checkpoint_is_refused(evil):
    configs = Path(mmdet.__file__).parent / '.mim/configs'
    with pytest.raises(ACNNError, match=REFUSED):
        DetectorBoxes(str(configs / 'rtmdet/rtmdet_tiny_8xb32-300e_coco.py'), evil, 'cpu')


@pytest.mark.parametrize('address', ['https://example.org/evil.pth', 'torchvision://evil'])
def test_a_download_is_refused(evil, monkeypatch, tmp_path, address):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    monkeypatch.setattr(
        torch.hub, 'download_url_to_file', lambda url, file, progress: shutil.copy(evil, file)
    )
    monkeypatch.setattr(
        mmengine.runner.checkpoint,
        'get_torchvision_models',
        lambda: {'evil': 'https://example.org/evil.pth'},
    )
    with pytest.raises(ACNNError, match=REFUSED):
        CheckpointLoader.load_checkpoint(address)


def test_what_was_downloaded_in_part_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints/x.pth').write_bytes(b'PK')
    url = 'https://example.org/x.pth'
    with pytest.raises(ACNNError, match=rf'x\.pth .*\({url}: remove the file to download'):
        mmengine.runner.checkpoint.load_url(url)


def test_a_failed_download_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(ACNNError, match=r'file:///nowhere/x.pth can not be downloaded \(.*give a'):
        mmengine.runner.checkpoint.load_url('file:///nowhere/x.pth')


def test_a_config_in_the_meta_is_not_run(toy_config, trained, tmp_path, monkeypatch):
    """Runner.resume executes ``meta['config']``, a string, which torch's safe loader lets pass."""
    monkeypatch.chdir(tmp_path)
    content = torch.load(trained['joint'])
    content['meta']['config'] = "import os; os.system('touch ran_code')"
    torch.save(content, 'evil.pth')
    with pytest.raises(ACNNError, match='evil.pth has a config in its meta.*is refused'):
        engine.train_in_order([toy_config(3)], resume='evil.pth')
    assert not Path('ran_code').exists()
