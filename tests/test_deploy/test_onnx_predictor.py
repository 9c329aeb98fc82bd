"""The predictor against MMPose's inference_topdown, also where nothing of MMPose is there."""

from __future__ import annotations

import json
import subprocess
import sys

from acnn_mmpose.deploy.onnx_export import export_onnx
from acnn_mmpose.deploy.onnx_predictor import KEY, Predictor
from acnn_mmpose.errors import ACNNError

import cv2
import numpy as np
import pytest
from mmpose.apis import inference_topdown

from tests.conftest import ROOT
from tests.test_deploy.onnx_model import make_model

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

BOXES = [[10.5, 20.25, 120, 150], [-60, -30, 70, 90], [0, 0, 33, 150], [9, 9, 600, 700]]


@pytest.fixture(scope='module')
def model(toy_root):
    return make_model(toy_root)


@pytest.fixture(scope='module')
def file(model, tmp_path_factory) -> str:
    file = tmp_path_factory.mktemp('onnx') / 'acnn.onnx'
    export_onnx(model, file, with_masks=True)
    return str(file)


@pytest.fixture(scope='module')
def images(toy_root) -> list[np.ndarray]:
    return [cv2.imread(str(path)) for path in sorted((toy_root / 'images').glob('*.jpg'))[:3]]


def assert_same_as_mmpose(predictor: Predictor, model, image: np.ndarray, boxes) -> None:
    """Compare with MMPose."""
    wanted = [sample.pred_instances for sample in inference_topdown(model, image, boxes)]
    got = predictor(image, boxes)
    assert len(got.keypoints) == len(wanted)
    for i, person in enumerate(wanted):
        np.testing.assert_allclose(got.keypoints[i], person.keypoints[0], atol=0.01, rtol=0)
        np.testing.assert_allclose(got.scores[i], person.keypoint_scores[0], atol=1e-5)
        np.testing.assert_array_equal(got.masks[i], person.attention_masks[0])
        corner = person.input_center[0] - person.input_scale[0] / 2
        size = got.crops[i, 2:] - got.crops[i, :2]
        np.testing.assert_allclose(got.crops[i, :2], corner, atol=0.01)
        np.testing.assert_allclose(size, person.input_scale[0], atol=0.01)


@pytest.mark.parametrize('flip_test', [True, False])
def test_keypoints_scores_and_masks_are_mmposes(model, file, images, monkeypatch, flip_test):
    monkeypatch.setitem(model.test_cfg, 'flip_test', flip_test)
    predictor = Predictor(file, flip_test=flip_test)
    for image in images:
        assert_same_as_mmpose(predictor, model, image, np.array(BOXES))
    assert_same_as_mmpose(predictor, model, images[0], None)


def test_by_default_it_flips_as_the_config_says(model, file, images):
    assert_same_as_mmpose(Predictor(file), model, images[0], BOXES)
    mirrored, plain = Predictor(file), Predictor(file, flip_test=False)
    assert abs(mirrored(images[0]).scores - plain(images[0]).scores).max() > 1e-4


def test_on_photographs(model, file, shared_data):
    folder = shared_data / 'mpii_samples'
    predictor = Predictor(file)
    people = json.loads((folder / 'test_mpii.json').read_text())
    assert len(people) == 5
    for person in people:
        center, half = np.array(person['center']), person['scale'] * 100
        box = np.concatenate([center - half, center + half])
        assert_same_as_mmpose(
            predictor, model, cv2.imread(str(folder / person['image'])), box[None]
        )


def test_any_number_of_people(file, images):
    predictor = Predictor(file)
    none = predictor(images[0], [])
    assert [array.shape for array in none] == [(0, 16, 2), (0, 16), (0, 1, 32, 32), (0, 4)]
    one = predictor(images[0], BOXES[:1])
    crowd = predictor(images[0], BOXES[:1] * 18)  # more than run at once
    for single, many in zip(one, crowd):
        np.testing.assert_allclose(many, np.repeat(single, 18, axis=0), atol=1e-5)


def test_a_network_exported_without_masks_has_none(model, images, tmp_path):
    export_onnx(model, tmp_path / 'plain.onnx')
    assert Predictor(tmp_path / 'plain.onnx')(images[0]).masks is None


SCRIPT = """
import sys
gone = ['torch', 'torchvision', 'mmpose', 'mmengine', 'mmcv', 'mmdet', 'onnx', 'scipy', 'tqdm']
gone += ['matplotlib', 'PIL']
sys.modules.update(dict.fromkeys(gone))  # None: an import says that there is no such module
from acnn_mmpose.deploy.onnx_predictor import Predictor
from acnn_mmpose.errors import ACNNError
import cv2, numpy
found = Predictor(sys.argv[1])(cv2.imread('image.png'), [[10, 20, 120, 150]])
numpy.save('keypoints.npy', found.keypoints)
try:
    Predictor('image.png')
except ACNNError as error:
    print(error)
"""


def test_it_runs_without_torch_mmpose_and_mmengine(file, images, tmp_path):
    cv2.imwrite(str(tmp_path / 'image.png'), images[0])
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT, file],
        cwd=tmp_path,
        env={'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 'image.png is not a network that ONNX Runtime' in done.stdout
    wanted = Predictor(file)(images[0], [[10, 20, 120, 150]]).keypoints
    np.testing.assert_allclose(np.load(tmp_path / 'keypoints.npy'), wanted, atol=0.01)


def test_files_that_are_no_exported_network(file, tmp_path):
    with pytest.raises(ACNNError, match=r'nowhere\.onnx does not exist'):
        Predictor('nowhere.onnx')
    content = onnx.load(file)
    (sound,) = (entry.value for entry in content.metadata_props if entry.key == KEY)

    def spoil(**values) -> str:
        return json.dumps({**json.loads(sound), **values})

    for card in (
        *(None, '{', '[]', '[' * 100_000, '{"format": 1, "padding": 2}', spoil(format=99)),
        *(spoil(keypoint_names=names) for names in ([], [None] * 16, ['a'], 'sixteen letters!')),
        *(spoil(flip_indices=pairs) for pairs in ([0] * 16, [*range(1, 16), 0], [99] * 16, 'a')),
        *(spoil(input_size=size) for size in ([128, -1], [128.0, 128], [64, 128], None)),
        *(spoil(padding=padding) for padding in (float('nan'), '1.25', -1, 1e300)),
        *(spoil(flip_test='no'), spoil(shift_heatmap=None)),
    ):
        del content.metadata_props[:]
        if card is not None:
            onnx.helper.set_model_props(content, {KEY: card})
        onnx.save(content, tmp_path / 'other.onnx')
        with pytest.raises(ACNNError, match=r'other\.onnx does not say how to use it .*: export'):
            Predictor(tmp_path / 'other.onnx')


def test_a_device_that_is_not_there_is_named(file):
    with pytest.raises(ACNNError, match='no MoonExecutionProvider here: choose of .*CPU'):
        Predictor(file, providers=['MoonExecutionProvider', 'CPUExecutionProvider'])


def test_bad_images_and_boxes_are_refused(file, images):
    predictor = Predictor(file)
    with pytest.raises(ACNNError, match='is no image'):
        predictor(images[0] / 255.0)
    with pytest.raises(ACNNError, match='box 0, '):
        predictor(images[0], [[0, 0, np.nan, 5]])
