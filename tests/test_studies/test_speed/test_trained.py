"""Predictions of a trained network, with its own masks, among the tables."""

from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import ACNN
from studies.sparse import with_sparse_stages
from studies.speed import GROUPS, __main__, make_setup, run_benchmark, to_text
from studies.speed.trained import PeopleOfBatches, TrainedPrediction, stop_after

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.registry import MODELS

from tests.conftest import model_config


@pytest.fixture
def setup(toy_config, trained, tmp_path):
    return make_setup(toy_config(3), 'cpu', [3], str(tmp_path), str(trained['joint']))


@pytest.mark.parametrize('sparse', [False, True])
@torch.no_grad()
def test_a_network_that_stops_predicts_what_the_whole_one_does_there(build_model, sparse):
    cfg = Config(dict(model=model_config(num_stages=3)))
    cfg = with_sparse_stages(cfg) if sparse else cfg
    images = torch.randn(2, 3, 32, 32)
    whole = MODELS.build(cfg.model).eval()
    whole.load_state_dict(build_model(num_stages=3).state_dict())
    predictions = whole(images, None)
    for stages in (3, 2, 1):
        stopped = MODELS.build(cfg.model).eval()
        stopped.load_state_dict(whole.state_dict())
        stop_after(stopped, stages)
        assert not any(branch for branch in stopped.backbone.mask_branches[stages - 1 :])
        torch.testing.assert_close(stopped(images, None), predictions[:stages])


def test_the_score_is_that_of_the_predictions(setup, monkeypatch):
    def predict_truth(model, batch):
        people = batch['data_samples']
        for person in people:
            keypoints = person.gt_instances.keypoints
            masks = np.full((1, model.backbone.num_stages - 1), 0.25)
            person.pred_instances = InstanceData(keypoints=keypoints, attention_coverage=masks)
        return people

    people = PeopleOfBatches(setup, 3)
    assert people.count == 8
    monkeypatch.setattr(ACNN, 'test_step', predict_truth)
    for stages, scores in ((2, dict(pckh=100, kept=0.25)), (1, dict(pckh=100))):
        run = TrainedPrediction(setup, people, torch.float32, sparse=False, stages=stages)
        assert run.score(run()) == scores


def test_every_way_to_predict_has_a_row_with_its_score(setup):
    table = next(run_benchmark(setup, ['trained'], 0))
    rows = to_text(table).splitlines()
    assert 'prediction of 8 people, 3 images at once' in rows[0]
    assert rows[1].split()[:2] == ['PCKh@0.5', 'kept']
    names = ['dense', 'sparse', 'dense, stopped after stage 1']
    for row, name in zip(rows[2:], names):
        assert row.startswith(name)
    assert all('%' in row for row in rows[2:4])


def test_without_a_checkpoint_there_is_no_table(setup, monkeypatch):
    assert not list(GROUPS['trained'](setup._replace(checkpoint=None)))
    monkeypatch.setattr('sys.argv', ['speed', '--only', 'trained'])
    with pytest.raises(ACNNError, match='give them with --checkpoint'):
        __main__.main()
