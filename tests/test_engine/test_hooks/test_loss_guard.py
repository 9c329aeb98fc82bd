from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import ACNNHead

import pytest
import torch
from mmengine.runner import Runner


@pytest.fixture
def break_loss(monkeypatch):
    """Make the loss ``value`` in the number-th iteration: break_loss(number, value)."""

    def install(number: int, value: float) -> None:
        losses, loss = [], ACNNHead.loss

        def broken(self, *args, **kwargs):
            result = loss(self, *args, **kwargs)
            losses.append(result)
            if len(losses) == number:
                result['loss_kpt'] = result['loss_kpt'] * value
            return result

        monkeypatch.setattr(ACNNHead, 'loss', broken)

    return install


@pytest.mark.parametrize(
    ('iteration', 'value', 'message'),
    [
        (3, float('nan'), r'loss is nan in epoch 1, iteration 3.*no checkpoint is saved yet'),
        (6, float('inf'), r'loss is inf in epoch 2, iteration 6.*checkpoint is .*epoch_1\.pth'),
    ],
)
def test_an_infinite_loss_ends_the_run_before_it_is_saved(
    toy_config, tmp_path, break_loss, iteration, value, message
):
    break_loss(iteration, value)
    with pytest.raises(ACNNError, match=message + r'.*lower learning rate'):
        Runner.from_cfg(toy_config(1)).train()
    for path in (tmp_path / 'phase1').glob('epoch_*.pth'):
        assert all(torch.isfinite(v).all() for v in torch.load(path)['state_dict'].values())
        assert path.name == 'epoch_1.pth'
