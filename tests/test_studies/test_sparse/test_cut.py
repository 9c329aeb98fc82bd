"""The first stages of a network as a network of their own."""

from __future__ import annotations

from acnn_mmpose.checkpoints import load_from_local
from acnn_mmpose.errors import ACNNError
from studies.sparse import cut

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from tests.conftest import ROOT, model_config


@torch.no_grad()
def test_the_first_stages_predict_what_they_did(build_model, tmp_path, monkeypatch):
    whole = build_model(num_stages=3).eval()
    torch.save(dict(meta=dict(acnn_phase='joint'), state_dict=whole.state_dict()), tmp_path / 'a')
    monkeypatch.setattr('sys.argv', ['cut', str(tmp_path / 'a'), '2', str(tmp_path / 'b.pth')])
    cut.main()
    content = load_from_local(str(tmp_path / 'b.pth'))
    assert content['meta'] == dict(acnn_phase='joint')
    model = MODELS.build(model_config(num_stages=2)).eval()
    model.load_state_dict(content['state_dict'])
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(model(images, None), whole(images, None)[:2])


@pytest.mark.parametrize('stages', [0, 3, 4])
def test_a_number_of_stages_that_it_does_not_have_is_refused(build_model, tmp_path, stages):
    torch.save(dict(state_dict=build_model(num_stages=3).state_dict()), tmp_path / 'a.pth')
    with pytest.raises(ACNNError, match=f'a.pth can not be cut to {stages} stages: give fewer'):
        cut.cut(str(tmp_path / 'a.pth'), stages, str(tmp_path / 'b.pth'))
    assert not (tmp_path / 'b.pth').exists()


@pytest.mark.parametrize(('file', 'stages'), [('two_stages.py', 2), ('three_stages.py', 3)])
def test_their_configs_differ_from_phase_1b_in_stages_and_schedule(file, stages):
    own = Config.fromfile(ROOT / 'studies/sparse/configs' / file)
    whole = Config.fromfile(ROOT / 'configs/reference/acnn_reference_phase1b.py')
    assert own.model.backbone.pop('num_stages') == own.model.head.pop('num_stages') == stages
    del whole.model.backbone['num_stages'], whole.model.head['num_stages']
    assert own.model == whole.model
    assert own.train_dataloader == whole.train_dataloader
