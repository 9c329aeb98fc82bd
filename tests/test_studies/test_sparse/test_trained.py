"""Predictions of a trained network, with its own masks, among the tables."""

from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import ACNN
from studies.sparse import __main__, with_sparse_stages
from studies.sparse.trained import Network, PeopleOfBatches, TrainedPrediction, stop_after

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.registry import MODELS

from tests.conftest import model_config


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


@pytest.fixture
def network(toy_config, trained):
    return Network('ACNN', toy_config(3), [str(trained['joint'])])


def test_the_score_is_that_of_the_predictions_over_seeds(network, monkeypatch):
    built = []

    def predict(model, batch):
        """The truth with the first and third network that is asked, nonsense with the second."""
        built.append(model) if model not in built else None
        people = batch['data_samples']
        for person in people:
            keypoints = person.gt_instances.keypoints + 1000 * (built.index(model) == 1)
            masks = np.full((1, model.backbone.num_stages - 1), 0.25)
            person.pred_instances = InstanceData(keypoints=keypoints, attention_coverage=masks)
        return people

    people = PeopleOfBatches(network.cfg, 3)
    assert people.count == 8
    monkeypatch.setattr(ACNN, 'test_step', predict)

    def score(network, stages):
        built.clear()
        run = TrainedPrediction(network, people, 'cpu', torch.float32, stages)
        return run.score(run())

    assert score(network, 2) == dict(pckh=100, kept=0.25)
    assert score(network, 1) == dict(pckh=100)
    three = network._replace(checkpoints=network.checkpoints * 3)
    assert score(three, 2) == pytest.approx(dict(pckh=200 / 3, pckh_sd=100 / 3**0.5, kept=0.25))


def test_networks_are_compared_stage_by_stage(
    network, toy_config, trained, capsys, monkeypatch, tmp_path
):
    network.cfg.dump(tmp_path / 'small.py')
    words = ['sparse', '--out', str(tmp_path / 'out'), '--batch-sizes', '3', '--seconds', '0']
    for name in ('dense', 'again'):
        words += ['--network', name, str(tmp_path / 'small.py'), *network.checkpoints]
    monkeypatch.setattr('sys.argv', words)
    monkeypatch.setattr(__main__, 'is_fast_in_bfloat16', lambda _: False)
    __main__.main()
    rows = capsys.readouterr().out.strip().splitlines()[-4:]
    assert rows[0].startswith('Trained networks, deployed in float32, 8 people, batch of 3')
    assert rows[1].split()[:2] == ['PCKh@0.5', 'kept']
    assert [row.split()[0] for row in rows[2:]] == ['dense', 'again']
    assert rows[2].split()[1:3] == rows[3].split()[1:3]
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'pckh_against_time1.png',
        'tables.json',
        'tables.txt',
    ]


def test_a_batch_needs_people(monkeypatch):
    monkeypatch.setattr('sys.argv', ['sparse', '--batch-sizes', '16', '0'])
    with pytest.raises(ACNNError, match='a batch needs at least 1 image, not 0'):
        __main__.main()


def test_a_network_needs_weights():
    with pytest.raises(ACNNError, match='--network A needs a config and at least one file'):
        __main__.read_network('A', 'configs/acnn_phase3.py')
    with pytest.raises(ACNNError, match='checkpoint nowhere.pth of --network A does not exist'):
        __main__.read_network('A', 'configs/acnn_phase3.py', __file__, 'nowhere.pth')
