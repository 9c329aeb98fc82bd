"""The weights in the repository: what the metafile says of them, and that they find people."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import acnn_mmpose  # noqa: F401 (makes MMPose importable)
from acnn_mmpose.checkpoints.weights_file import unpack

import numpy as np
import pytest
import yaml
from mmpose.apis import inference_topdown, init_model

from tests.conftest import ROOT

PHOTOGRAPHS = ROOT / 'docs/images/photographs'
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text())
MODELS = [
    model
    for file in INDEX['Import']
    for model in yaml.safe_load((ROOT / file).read_text())['Models']
]
# read off the photograph by eye: index of the joint, x, y
JOINTS_060754485 = {9: (591, 117), 8: (643, 218), 15: (790, 405), 10: (488, 351)}
HEAD = 112  # pixels, of that person


@pytest.fixture(params=MODELS, ids=lambda model: model['Name'])
def entry(request) -> dict:
    return request.param


@pytest.fixture
def model(entry):
    return init_model(str(ROOT / entry['Config']), str(ROOT / entry['Weights']), device='cpu')


def test_metafile_card_and_file_say_the_same(entry):
    path = ROOT / entry['Weights']
    assert path.stat().st_size < 10e6
    meta = unpack(path)['meta']  # compares checksums
    assert meta['acnn_phase'] in ('attention', 'joint')  # its masks are trained
    (result,) = entry['Results']
    card = (ROOT / 'docs/models.md').read_text()
    assert path.name in card
    for name, key in (('PCKh@0.5', 'PCK'), ('PCKh@0.1', 'PCK@0.1')):
        assert result['Metrics'][name] == round(meta['metrics'][key], 1)
        assert f'{result["Metrics"][name]:.1f}' in card


def test_no_folder_of_the_machine_that_trained_is_in_the_file(entry):
    text = json.dumps(unpack(ROOT / entry['Weights'])['meta'], default=str)
    assert not re.search(r"'/\w", text)


def test_joints_are_where_they_are_on_a_photograph(model):
    boxes = json.loads((PHOTOGRAPHS / 'boxes.json').read_text())['060754485.jpg']
    (person,) = inference_topdown(model, str(PHOTOGRAPHS / '060754485.jpg'), bboxes=boxes)
    found = person.pred_instances.keypoints[0]
    for joint, place in JOINTS_060754485.items():
        assert np.linalg.norm(found[joint] - place) < 0.5 * HEAD, joint


def test_masks_keep_the_person_and_drop_the_background(model):
    boxes = json.loads((PHOTOGRAPHS / 'boxes.json').read_text())['060754485.jpg']
    (person,) = inference_topdown(model, str(PHOTOGRAPHS / '060754485.jpg'), bboxes=boxes)
    masks = person.pred_instances.attention_masks[0]
    edges = masks[:, :, [*range(6), *range(-6, 0)]]  # the person stands in the middle
    assert all(0.1 < mask.mean() < 0.7 for mask in masks)
    assert all(edge.mean() < 0.2 for edge in edges)


def test_one_command_gives_the_figures_of_the_card(entry, shared_data, tmp_path):
    data = shared_data / 'mpii'
    assert len(json.loads((data / 'annotations/mpii_val.json').read_text())) == 264
    out = tmp_path / 'metrics.json'
    subprocess.run(
        [sys.executable, 'tools/test.py', entry['Config'], entry['Weights'], '--out', str(out),
         '--work-dir', str(tmp_path)],
        cwd=ROOT, check=True, env={**os.environ, 'ACNN_DATA_ROOT': str(data)},
    )  # fmt: skip
    metrics = json.loads(out.read_text())
    (result,) = entry['Results']
    assert metrics['PCK'] == pytest.approx(result['Metrics']['PCKh@0.5'], abs=0.1)
    assert metrics['PCK@0.1'] == pytest.approx(result['Metrics']['PCKh@0.1'], abs=0.1)
