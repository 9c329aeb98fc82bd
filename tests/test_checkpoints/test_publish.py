"""Published weights: whole, reproducible, checked as checkpoints are, and free of pickle."""

from __future__ import annotations

import hashlib
import json
import pickle
import runpy
import shutil
import sys
from pathlib import Path

from acnn_mmpose import engine
from acnn_mmpose.checkpoints import publish_checkpoint
from acnn_mmpose.checkpoints.load import load_from_local
from acnn_mmpose.errors import ACNNError

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model
from safetensors import safe_open
from safetensors.torch import save_file

from tests.conftest import ROOT


@pytest.fixture(scope='session')
def published(trained, tmp_path_factory) -> dict[str, Path]:
    """The weights file of each phase: published['joint']."""
    folder = tmp_path_factory.mktemp('published')
    return {
        phase: publish_checkpoint(str(path), str(folder / phase)) for phase, path in trained.items()
    }


@pytest.fixture
def no_pickle(monkeypatch):
    """Make every way to unpickle fail."""

    def refuse(*args, **kwargs):
        raise AssertionError('something was unpickled')

    for owner, names in (
        (pickle, ('load', 'loads', 'Unpickler', '_load', '_loads', '_Unpickler')),
        (torch, ('load',)),
        (torch.serialization, ('load', '_load', '_legacy_load')),
    ):
        for name in names:
            monkeypatch.setattr(owner, name, refuse)


def save_edited(source: Path, target: Path, **changes) -> str:
    """Save a changed copy of a checkpoint."""
    torch.save({**torch.load(source), **changes}, target)
    return str(target)


def test_init_model_needs_no_pickle(config, trained, published, images, request):
    expected = init_model(config, str(trained['joint']), device='cpu')
    request.getfixturevalue('no_pickle')
    with pytest.raises(ACNNError, match='something was unpickled'):  # the fixture works
        init_model(config, str(trained['joint']), device='cpu')
    model = init_model(config, str(published['joint']), device='cpu')
    checked = engine.load_model(engine.load_config(config), str(published['joint']))
    for key, value in expected.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)
        assert torch.equal(checked.state_dict()[key], value)
    people = [
        inference_topdown(m, str(images[0]))[0].pred_instances.keypoints for m in (expected, model)
    ]
    np.testing.assert_array_equal(*people)


def test_dataset_meta_has_the_types_that_mmpose_gave_it(trained, published):
    original = torch.load(trained['joint'])['meta']['dataset_meta']
    restored = load_from_local(str(published['joint']))['meta']['dataset_meta']
    assert restored.keys() == original.keys()
    for key, value in original.items():
        assert type(restored[key]) is type(value), key
        if isinstance(value, np.ndarray):
            assert restored[key].dtype == value.dtype
            np.testing.assert_array_equal(restored[key], value)
        else:
            assert restored[key] == value


def test_header_tells_what_the_weights_are(trained, tmp_path):
    (tmp_path / 'm.json').write_text('{"PCK": 61.5}')
    file = publish_checkpoint(str(trained['joint']), str(tmp_path / 'x'), str(tmp_path / 'm.json'))
    with safe_open(file, 'pt') as opened:
        meta = json.loads(opened.metadata()['acnn_mmpose'])
        weights = set(opened.keys())
    assert weights == set(torch.load(trained['joint'])['state_dict'])
    assert (meta['acnn_phase'], meta['acnn_mask_mode']) == ('joint', 'hard')
    assert meta['epoch'] == 2
    assert meta['metrics'] == {'PCK': 61.5}
    assert meta['dataset_meta']['keypoint_id2name']['9'] == 'head_top'
    assert meta['acnn_versions']['torch'] == torch.__version__
    assert 'mask_mode' in meta['cfg']
    assert str(Path(trained['joint']).parent) not in meta['cfg']
    assert 'data_root' in meta['cfg']


def test_equal_checkpoints_give_equal_bytes_and_the_name_is_their_sha256(
    trained, published, tmp_path
):
    first = published['joint']
    again = publish_checkpoint(str(trained['joint']), str(tmp_path / 'joint.safetensors'))
    assert again.name == first.name
    assert again.read_bytes() == first.read_bytes()
    assert first.name == f'joint-{hashlib.sha256(first.read_bytes()).hexdigest()[:8]}.safetensors'
    assert [path.name for path in tmp_path.iterdir()] == [again.name]
    republished = publish_checkpoint(str(first), str(tmp_path / 'joint'))
    assert republished.name == first.name


def test_it_tests_as_its_checkpoint_and_starts_the_next_phase(toy_config, trained, published):
    metrics = [
        Runner.from_cfg(toy_config(3, load_from=str(files['joint']))).test()
        for files in (trained, published)
    ]
    assert metrics[0] == metrics[1]
    cfg = toy_config(2, load_from=str(published['pose']), **{'train_cfg.max_epochs': 1})
    Runner.from_cfg(cfg).train()


def test_it_is_checked_as_a_checkpoint_is(toy_config, published):
    cfg = toy_config(3, load_from=str(published['pose']))
    with pytest.raises(ACNNError, match="holds phase 'pose', but to start phase 'joint'"):
        Runner.from_cfg(cfg).train()
    for option, value, message in (
        ('model.backbone.depth', 2, 'does not fit the model: missing: backbone'),
        ('model.backbone.mask_mode', 'soft', "trained with mask_mode 'hard'"),
    ):
        with pytest.raises(ACNNError, match=message):
            engine.load_model(toy_config(3, **{option: value}), str(published['joint']))


def test_a_run_does_not_resume_from_it(toy_config, published):
    with pytest.raises(ACNNError, match=r'no state of the optimizer.*load_from='):
        engine.train_in_order([toy_config(3)], resume=str(published['joint']))


def test_a_damaged_or_renamed_file_is_refused(published, tmp_path):
    source = published['joint']
    content = bytearray(source.read_bytes())
    content[-1] ^= 1
    (tmp_path / source.name).write_bytes(content)
    with pytest.raises(ACNNError, match=r'is damaged or renamed: its sha256 begins with'):
        load_from_local(str(tmp_path / source.name))
    (tmp_path / 'free_name.safetensors').write_bytes(content)
    with pytest.raises(ACNNError, match='its weights are not those that were saved'):
        load_from_local(str(tmp_path / 'free_name.safetensors'))
    shutil.copy(source, tmp_path / 'free_name.safetensors')
    assert load_from_local(str(tmp_path / 'free_name.safetensors'))['meta']['epoch'] == 2
    (tmp_path / 'cut.safetensors').write_bytes(content[: len(content) // 2])
    with pytest.raises(ACNNError, match='is damaged or not a checkpoint'):
        load_from_local(str(tmp_path / 'cut.safetensors'))


def test_a_foreign_safetensors_file_is_weights_without_a_phase(config, trained, tmp_path):
    weights = torch.load(trained['joint'])['state_dict']
    weights = {key: value.contiguous() for key, value in weights.items()}
    save_file(weights, tmp_path / 'foreign.safetensors')
    assert load_from_local(str(tmp_path / 'foreign.safetensors'))['meta'] == {}
    engine.load_model(engine.load_config(config), str(tmp_path / 'foreign.safetensors'))


def test_of_a_run_with_averages_these_are_published(toy_config, tmp_path):
    cfg = toy_config(1, **{'train_cfg.max_epochs': 1})
    cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.2))
    runner = Runner.from_cfg(cfg)
    runner.train()
    checkpoint = str(Path(cfg.work_dir, 'epoch_1.pth'))
    published = load_from_local(str(publish_checkpoint(checkpoint, str(tmp_path / 'x'))))
    for key, saved in torch.load(checkpoint)['state_dict'].items():
        assert torch.equal(published['state_dict'][key], saved)
    key = 'head.multi_final_layers.0.bias'
    assert not torch.equal(published['state_dict'][key], runner.model.state_dict()[key])


def test_half_precision_is_half_the_file_and_nearly_the_same_weights(config, trained, tmp_path):
    whole = publish_checkpoint(str(trained['joint']), str(tmp_path / 'whole'))
    half = publish_checkpoint(str(trained['joint']), str(tmp_path / 'half'), half=True)
    expected = init_model(config, str(whole), device='cpu').state_dict()
    loaded = init_model(config, str(half), device='cpu').state_dict()
    kernels = sum(value.numel() for value in expected.values() if value.ndim == 4)
    saved = whole.stat().st_size - half.stat().st_size
    assert saved == pytest.approx(2 * kernels, abs=2000)  # the header says float16 now
    for key, value in expected.items():
        assert loaded[key].dtype == value.dtype
        rounded = value.half().to(value.dtype) if value.ndim == 4 else value
        assert torch.equal(loaded[key], rounded)
        assert value.ndim != 4 or torch.allclose(rounded, value, rtol=1e-3, atol=1e-6)


def test_without_safetensors_only_its_files_can_not_be_used(published, monkeypatch):
    monkeypatch.setitem(sys.modules, 'safetensors.torch', None)
    with pytest.raises(ACNNError, match='a .safetensors file needs safetensors .*: pip install'):
        load_from_local(str(published['pose']))


def test_what_is_not_fit_to_publish_is_refused(trained, tmp_path):
    source, out = trained['joint'], str(tmp_path / 'out' / 'x')
    weights = torch.load(source)['state_dict']
    key = next(iter(weights))
    bad = {**weights, key: weights[key] * float('nan')}
    with pytest.raises(ACNNError, match=f'can not be published: {key} is not finite'):
        publish_checkpoint(save_edited(source, tmp_path / 'a.pth', state_dict=bad), out)
    with pytest.raises(ACNNError, match='names no phase or has no weights: publish'):
        publish_checkpoint(save_edited(source, tmp_path / 'a.pth', meta={}), out)
    meta = torch.load(source)['meta']
    for cfg in (f'a = open({str(tmp_path / "made")!r}, "w")\n', None):  # a config is not run
        edited = save_edited(source, tmp_path / 'a.pth', meta={**meta, 'cfg': cfg})
        with pytest.raises(ACNNError, match=r'the config in .*a\.pth can not be read .*: publish'):
            publish_checkpoint(edited, out)
    assert not (tmp_path / 'made').exists()
    (tmp_path / 'm.json').write_text('[1]')
    with pytest.raises(ACNNError, match='m.json can not be read as metrics.*test.py --out'):
        publish_checkpoint(str(source), out, str(tmp_path / 'm.json'))
    assert not Path(out).parent.exists()
    Path(out).parent.touch()
    with pytest.raises(ACNNError, match='x-.*safetensors could not be written'):
        publish_checkpoint(str(source), out)


def test_tools_take_it(toy_config, trained, images, tmp_path, monkeypatch, capsys):
    def run(tool, *args):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
        runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')

    monkeypatch.chdir(tmp_path)
    toy_config(3).dump('config.py')
    run('publish.py', trained['joint'], 'x')
    (file,) = tmp_path.glob('x-*.safetensors')
    assert capsys.readouterr().out.splitlines()[-1] == file.name
    run('test.py', 'config.py', file, '--work-dir', 'test', '--out', 'metrics.json')
    assert 'PCK' in json.loads((tmp_path / 'metrics.json').read_text())
    run('infer.py', 'config.py', file, images[0], '--out-dir', 'pictures')
    assert cv2.imread(str(tmp_path / 'pictures' / images[0].name)) is not None


def test_the_inferencer_takes_it(config, published, images):
    inferencer = MMPoseInferencer(
        pose2d=config,
        pose2d_weights=str(published['joint']),
        det_model='whole_image',
        device='cpu',
    )
    (result,) = inferencer(str(images[0]))
    assert np.array(result['predictions'][0][0]['keypoints']).shape == (16, 2)
