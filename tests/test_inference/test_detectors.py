"""Several people in one photograph, found by a detector of MMDetection, on mmcv-lite, too."""

from __future__ import annotations

import json
import runpy
import sys

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmengine.utils import get_installed_path
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model

PEOPLE = [[10.0, 20.0, 80.0, 150.0], [90.0, 10.0, 190.0, 140.0]]
TWIN_OF_FIRST = [12.0, 20.0, 80.0, 150.0]
FULL_MMCV = hasattr(sys.modules['mmcv._ext'], '__file__')  # compiled, not our placeholder


@MODELS.register_module()
class KnownBoxes(torch.nn.Module):
    """A detector that finds two people, one of them twice, a doubtful one, and a dog."""

    def __init__(self, **_) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def test_step(self, data: dict) -> list:
        """Give every image the same boxes."""
        for sample in data['data_samples']:
            sample.pred_instances = InstanceData(
                bboxes=torch.tensor(
                    [PEOPLE[0], TWIN_OF_FIRST, PEOPLE[1], [0, 0, 9, 9], [5, 5, 60, 60]]
                ),
                scores=torch.tensor([0.9, 0.8, 0.7, 0.1, 0.9]),
                labels=torch.tensor([0, 0, 0, 0, 16]),
            )
        return data['data_samples']


@pytest.fixture(scope='module')
def photograph(images, tmp_path_factory):
    """Two toy people side by side, 200 x 200 pixels."""
    people = [cv2.resize(cv2.imread(str(image)), (100, 200)) for image in images[:2]]
    path = tmp_path_factory.mktemp('photograph') / 'two.jpg'
    cv2.imwrite(str(path), np.hstack(people))
    return path


@pytest.fixture
def detector(tmp_path):
    """Write a detector's config and weights: detector(name, model), small images, few people."""

    def write(name: str, model: dict | None = None) -> tuple[str, str]:
        folder = get_installed_path('mmdet')
        cfg = Config.fromfile(f'{folder}/.mim/configs/{name}.py')
        resize = next(t for t in cfg.test_dataloader.dataset.pipeline if t.type == 'Resize')
        resize.scale = (128, 128)
        if model is None:  # few people; YOLOX finds 10 at most
            cfg.model.test_cfg.get('rcnn', cfg.model.test_cfg).update(max_per_img=3)
        else:
            cfg.model = model
        cfg.dump(tmp_path / 'detector.py')
        with DefaultScope.overwrite_default_scope('mmdet'):
            network = MODELS.build(cfg.model)
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d) and module.out_channels == 80:
                module.bias.data.fill_(-9)[0] = 3  # people only, and sure enough
            elif isinstance(module, torch.nn.Conv2d) and module.out_channels == 4:
                module.weight.data.zero_()  # some cells wide, wherever they are
                module.bias.data.fill_(1)
            elif isinstance(module, torch.nn.Linear) and module.out_features == 81:
                module.bias.data.fill_(-9)[0] = 3  # Faster R-CNN's classes and background
        torch.save(dict(state_dict=network.state_dict()), tmp_path / 'detector.pth')
        return str(tmp_path / 'detector.py'), str(tmp_path / 'detector.pth')

    return write


@pytest.fixture
def infer(monkeypatch, tmp_path, config, trained):
    """Run tools/infer.py here; return what it wrote about the people of one image."""

    def run(root, photograph, found: tuple[str, str]) -> list[dict]:
        arguments = [config, trained['joint'], photograph, '--detector', found[0]]
        arguments += ['--detector-checkpoint', found[1], '--out-dir', tmp_path / 'out']
        monkeypatch.setattr(sys, 'argv', ['infer.py', *map(str, arguments)])
        runpy.run_path(str(root / 'tools/infer.py'), run_name='__main__')
        (image,) = json.loads((tmp_path / 'out/predictions.json').read_text())['images']
        return image['people']

    return run


def people_of_inferencer(config, trained, photograph, found: tuple[str, str]) -> list[dict]:
    inferencer = MMPoseInferencer(
        pose2d=config,
        pose2d_weights=str(trained['joint']),
        det_model=found[0],
        det_weights=found[1],
        det_cat_ids=[0],
        device='cpu',
    )
    (result,) = inferencer(str(photograph))
    return result['predictions'][0]


def test_known_boxes_through_both_ways(detector, infer, root, config, trained, photograph):
    found = detector('rtmdet/rtmdet_tiny_8xb32-300e_coco', dict(type='KnownBoxes'))
    model = init_model(config, str(trained['joint']), device='cpu')
    wanted = inference_topdown(model, str(photograph), PEOPLE)
    inferred = people_of_inferencer(config, trained, photograph, found)
    written = infer(root, photograph, found)
    assert len(inferred) == len(written) == len(wanted) == 2
    for box, right, first, second in zip(PEOPLE, wanted, inferred, written):
        assert list(first['bbox'][0]) == second['bbox'] == box
        for person in (first, second):
            (keypoints,) = right.pred_instances.keypoints
            np.testing.assert_allclose(person['keypoints'], keypoints, atol=1e-3)


@pytest.mark.parametrize(
    'name',
    [
        'rtmdet/rtmdet_tiny_8xb32-300e_coco',
        'yolox/yolox_tiny_8xb8-300e_coco',
        pytest.param(
            'faster_rcnn/faster-rcnn_r50_fpn_1x_coco',
            marks=pytest.mark.skipif(not FULL_MMCV, reason='its RoIAlign needs full mmcv'),
        ),
    ],
)
def test_mmdetections_detectors_run(name, detector, infer, root, config, trained, photograph):
    found = detector(name)
    written = infer(root, photograph, found)
    inferred = people_of_inferencer(config, trained, photograph, found)
    assert written
    for first, second in zip(inferred, written):
        np.testing.assert_allclose(first['bbox'][0], second['bbox'], atol=1e-3)
        np.testing.assert_allclose(first['keypoints'], second['keypoints'], atol=1e-3)
    assert len(inferred) == len(written)
