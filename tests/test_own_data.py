"""docs/own_data.md, from the first file to the last command, on generated people."""

from __future__ import annotations

import json
import re
import shutil

from acnn_mmpose.evaluation import read_run
from acnn_mmpose.visualization import AttentionVisualizer

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.apis import init_model

from .coco_people import OWN_JOINTS, write_coco_file
from .commands import run_lines

EPOCH = '\ntrain_cfg = dict(max_epochs=1, val_interval=1)\n'
SMALL = """
model['backbone'] = dict(num_stages=2, channels=16, depth=3)
model['head'].update(in_channels=16, num_stages=2)
model['head']['coverage_loss'] = dict(type='CoverageLoss', weight=0.01, background_only=True)
train_dataloader.update(batch_size=8, num_workers=0, persistent_workers=False)
val_dataloader.update(num_workers=0, persistent_workers=False)
default_hooks = dict(logger=dict(interval=1))
"""


@pytest.fixture
def workplace(tmp_path, toy_root, root, monkeypatch):
    """A clone with data, in which the working directory is."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(root / 'configs', 'configs')
    (tmp_path / 'tools').symlink_to(root / 'tools')
    folder = tmp_path / 'data/own/images'
    folder.mkdir(parents=True)
    for split in ('train', 'val'):
        annotations = tmp_path / f'data/own/{split}.json'
        for name in write_coco_file(toy_root, split, annotations, OWN_JOINTS):
            shutil.copy(toy_root / 'images' / name, folder)
    (folder / '000000001.jpg').rename(folder / '0001.jpg')  # as on the page
    train = tmp_path / 'data/own/train.json'
    train.write_text(train.read_text().replace('000000001.jpg', '0001.jpg'))
    return tmp_path


def test_every_step_of_the_page(workplace, root, monkeypatch):
    text = (root / 'docs/own_data.md').read_text().replace('epoch_100', 'epoch_1')
    blocks = re.findall(r'^```(\w+)\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    assert {language for language, _ in blocks} == {'json', 'python', 'bash'}
    for language, content in blocks:
        if language == 'json':
            assert set(json.loads(content)) == {'images', 'categories', 'annotations'}
        elif language == 'bash':
            run_lines(content, monkeypatch)
            for phase in workplace.glob('configs/own/*.py'):
                phase.write_text(phase.read_text() + EPOCH)
        elif content.startswith('# configs/'):
            path = workplace / content.partition('\n')[0][2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content + (SMALL if path.name == 'own.py' else ''))
        else:
            last = {}
            exec(content, last)

    metrics = json.loads((workplace / 'metrics.json').read_text())
    assert -1 <= metrics['coco/AP'] <= 1
    for phase in (1, 2, 3):
        folder = workplace / f'work_dirs/acnn_own_phase{phase}'
        assert list(folder.glob('best_coco_AP_epoch_1.pth'))
        assert list(folder.glob('*/vis_data/vis_image/stories_1.png'))
        (log,) = folder.glob('*/vis_data/scalars.json')
        assert '"mask1_background_coverage"' in log.read_text()
        assert ('"loss_coverage"' in log.read_text()) == (phase > 1)
        assert read_run(str(folder)).scores['AP'][0][0] == 1
    for picture in ('stories.png', 'log.png'):
        assert cv2.imread(str(workplace / picture)) is not None
    images = json.loads((workplace / 'predictions/predictions.json').read_text())['images']
    assert np.array([i['people'][0]['keypoints'] for i in images]).shape == (16, 5, 2)
    assert last['people'].keypoints.shape == (1, 5, 2)
    assert last['people'].masks.shape == (1, 1, 64, 48)
    assert last['predictor'].card.keypoint_names[1] == 'right_hand'

    (published,) = workplace.glob('own-*.safetensors')
    model = init_model('configs/own/acnn_own_phase3.py', str(published), device='cpu')
    check_skeleton(model.dataset_meta)


def check_skeleton(meta: dict) -> None:
    """Pictures have the joints' own links and colours."""
    visualizer = AttentionVisualizer(mode='pose')
    visualizer.set_dataset_meta(meta)
    points = np.array([[[100, 20], [20, 100], [180, 100], [60, 190], [140, 190]]], float)
    people = InstanceData(keypoints=points, keypoint_scores=np.ones((1, 5)))
    picture = visualizer.draw_pose(np.zeros((200, 200, 3), np.uint8), people)
    assert picture[60, 140].tolist() == [0, 255, 0]  # from the head to the left hand
    assert picture[60, 60].tolist() == [255, 128, 0]
    assert not picture[100, 100].any()  # nothing from hand to hand
