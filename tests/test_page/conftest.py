"""A network for the page."""

from __future__ import annotations

import pytest
from mmpose.apis import init_model


@pytest.fixture(scope='session')
def app_model(config):
    """An untrained network whose masks are not constant."""
    model = init_model(config, None, device='cpu')
    for branch in model.backbone.mask_branches:
        branch.logit.weight.data.normal_()
        branch.logit.bias.data.zero_()
    return model
