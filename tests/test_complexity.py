from __future__ import annotations

import runpy

import pytest
from mmengine.config import Config
from mmpose.registry import MODELS

from tests.conftest import ROOT

measure_complexity = runpy.run_path(str(ROOT / 'tools/complexity.py'))['measure_complexity']


# what the tool prints is the figures alone
pytestmark = pytest.mark.filterwarnings('error:mods argument')


@pytest.fixture(params=[1, 3])
def full_size(request):
    return MODELS.build(Config.fromfile(ROOT / f'configs/acnn_phase{request.param}.py').model)


def test_full_size_figures_are_those_of_the_readme(full_size):
    result = measure_complexity(full_size, (256, 256))
    assert result.parameters == 12_666_819
    assert result.mask_parameters == 49_731
    readme = (ROOT / 'README.md').read_text()
    if full_size.phase == 'pose':
        assert result.mask_flops == 0
    else:
        assert 0 < result.mask_flops < 0.02 * result.flops
        for figure in (f'{result.parameters / 1e6:.2f} M', f'{result.flops / 1e9:.2f}'):
            assert figure in readme


def test_a_convolution_is_counted_by_hand(build_model):
    """Mask branches of the small network: two 1x1 convolutions on an 8x8 map, twice."""
    result = measure_complexity(build_model('joint'), (32, 32))
    assert result.mask_flops == 2 * (8 * 8) * (16 * 4 + 4 * 1) * 2
