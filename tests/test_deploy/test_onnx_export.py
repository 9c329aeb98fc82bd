"""Export, and that nothing is written that differs from PyTorch."""

from __future__ import annotations

import json
import sys

from acnn_mmpose.deploy import onnx_export
from acnn_mmpose.deploy.onnx_export import ExportNetwork, export_onnx, find_crops, make_card
from acnn_mmpose.errors import ACNNError

import cv2
import numpy as np
import pytest
import torch

from tests.commands import run_here
from tests.conftest import FLIP_INDICES, ROOT
from tests.test_deploy.onnx_model import make_model, noise_crops

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')


@pytest.fixture(scope='module')
def model(toy_root):
    return make_model(toy_root)


@pytest.mark.parametrize('mask_mode', ['hard', 'soft'])
def test_the_file_computes_what_the_model_does_at_any_batch(toy_root, tmp_path, mask_mode):
    model = make_model(toy_root, **{'model.backbone.mask_mode': mask_mode})
    done = export_onnx(model, tmp_path / 'new' / 'acnn.onnx', with_masks=True)
    assert done.shapes == {'heatmaps': (16, 32, 32), 'masks': (1, 32, 32)}
    assert 0 <= done.relative_error < 1e-5
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['acnn.onnx']

    session = onnxruntime.InferenceSession(str(tmp_path / 'new' / 'acnn.onnx'))
    crops = noise_crops(5)
    heatmaps, masks = session.run(None, {'images': crops})
    samples = [torch.from_numpy(crop).permute(2, 0, 1) for crop in crops]
    inputs = model.data_preprocessor({'inputs': samples, 'data_samples': []})['inputs']
    with torch.no_grad():
        stages = model.extract_feat(inputs)
        wanted = model.head(stages)[-1].numpy()
    assert abs(heatmaps - wanted).max() < 1e-5 * abs(wanted).max()
    np.testing.assert_allclose(masks, stages[0].mask.numpy(), rtol=1e-5)
    assert 0.02 < masks.mean() < 0.98
    if mask_mode == 'hard':
        assert set(np.unique(masks)) == {0.0, 1.0}


def test_the_file_says_how_to_use_it(model, tmp_path):
    export_onnx(model, tmp_path / 'acnn.onnx')
    session = onnxruntime.InferenceSession(str(tmp_path / 'acnn.onnx'))
    assert [output.name for output in session.get_outputs()] == ['heatmaps']
    card = json.loads(session.get_modelmeta().custom_metadata_map['acnn_mmpose'])
    assert card['keypoint_names'][9] == 'head_top'
    assert card['flip_indices'] == FLIP_INDICES
    assert (card['input_size'], card['padding']) == ([128, 128], 1.25)
    assert (card['flip_test'], card['shift_heatmap']) == (True, True)
    assert (card['phase'], card['mask_mode'], card['sigma']) == ('joint', 'hard', 1)


def test_a_network_that_differs_is_not_written(model, tmp_path, monkeypatch):
    file = tmp_path / 'acnn.onnx'
    file.write_text('what was there before')
    monkeypatch.setattr(onnx_export, 'TOLERANCE', 0)
    with pytest.raises(ACNNError, match=r'differ from PyTorch.*nothing was written'):
        export_onnx(model, file)
    assert [path.read_text() for path in tmp_path.iterdir()] == ['what was there before']


def test_masks_that_differ_in_one_cell_are_found(model):
    network = ExportNetwork(model, (128, 128), with_masks=True)

    class Session:
        def run(self, _, inputs):
            with torch.no_grad():
                heatmaps, masks = network(torch.from_numpy(inputs['images']))
            masks[0, 0, 3, 4] = 1 - masks[0, 0, 3, 4]
            return [heatmaps.numpy(), masks.numpy()]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_export, 'start_session', lambda _: Session())
        with pytest.raises(ACNNError, match="masks differ from PyTorch's by 1.0e"):
            onnx_export.verify(network, b'', noise_crops(1))


def test_nan_is_no_agreement(toy_root, tmp_path):
    model = make_model(toy_root)
    next(model.head.parameters()).data.fill_(float('nan'))
    with pytest.raises(ACNNError, match='heatmaps differ from PyTorch'):
        export_onnx(model, tmp_path / 'acnn.onnx')


@pytest.mark.parametrize('name', ['acnn.pth', 'folder.onnx', 'file/acnn.onnx'])
def test_a_file_that_can_not_be_written_is_refused_first(tmp_path, name):
    (tmp_path / 'folder.onnx').mkdir()
    (tmp_path / 'file').touch()
    with pytest.raises(ACNNError, match='ends in .onnx|can not be made'):
        export_onnx(None, tmp_path / name)


@pytest.mark.parametrize('package', ['onnx', 'onnxruntime'])
def test_a_missing_package_is_named(model, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ACNNError, match=f'an export needs {package} .*: pip install {package}$'):
        export_onnx(model, tmp_path / 'acnn.onnx')
    assert not list(tmp_path.iterdir())


def test_what_a_predictor_would_do_otherwise_is_refused(toy_root, tmp_path):
    affine = 'test_dataloader.dataset.pipeline.3'
    no_affine = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale')]
    for options, words in (
        ({'model.head.decoder.unbiased': True}, 'unbiased=False'),
        ({'test_dataloader.dataset.pipeline': no_affine}, 'one TopdownAffine'),
        ({f'{affine}.use_udp': True}, 'use_udp=False'),
        ({'model.test_cfg.flip_mode': 'offset'}, "flip_mode='heatmap'"),
        ({'train_dataloader.dataset.type': 'CocoDataset'}, 'has 16 joints, but its data set 17'),
    ):
        model = make_model(toy_root, **options)
        with pytest.raises(ACNNError, match=words):
            export_onnx(model, tmp_path / 'acnn.onnx')


def test_a_deployed_model_is_refused(toy_root, tmp_path):
    model = make_model(toy_root)
    model.switch_to_deploy()
    with pytest.raises(ACNNError, match='before switch_to_deploy'):
        export_onnx(model, tmp_path / 'acnn.onnx')


def test_masks_of_a_phase_without_are_refused(toy_root, tmp_path):
    with pytest.raises(ACNNError, match="no masks to export: phase 'pose'"):
        export_onnx(make_model(toy_root, 1), tmp_path / 'acnn.onnx', True)


def test_outputs_are_compared_on_given_images_or_generated_people(model, tmp_path):
    card = make_card(model)
    assert len({crop.tobytes() for crop in find_crops(card)}) == 8
    cv2.imwrite(str(tmp_path / 'grey.png'), np.full((50, 50, 3), 99, np.uint8))
    (crop,) = find_crops(card, [str(tmp_path / 'grey.png')])
    assert (crop.shape, crop[64, 64].tolist()) == ((128, 128, 3), [99, 99, 99])
    with pytest.raises(ACNNError, match=r'image .*README\.md '):
        find_crops(card, [str(ROOT / 'README.md')])


def test_the_tool_reports(toy_root, tmp_path, model, capfd):
    model.cfg.dump(tmp_path / 'config.py')
    meta = dict(acnn_phase='joint', acnn_mask_mode='hard')
    torch.save(dict(state_dict=model.state_dict(), meta=meta), tmp_path / 'acnn.pth')
    tool = str(ROOT / 'tools/export_onnx.py')
    done = run_here(capfd, tmp_path, tool, 'config.py', 'acnn.pth', 'acnn.onnx', '--masks')
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'heatmaps (N, 16, 32, 32), masks (N, 1, 32, 32)' in done.stdout
    assert 'compared with PyTorch on generated images: relative error ' in done.stdout
    assert onnx.load(tmp_path / 'acnn.onnx').opset_import[0].version == 13
