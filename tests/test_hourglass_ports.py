"""Each port's forward pass, written out from the layout of its state dict, gives our heatmaps."""

from __future__ import annotations

import pickle
import runpy
import sys
from pathlib import Path

from acnn_mmpose.checkpoints.load import load_from_local
from acnn_mmpose.engine import load_config
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import MASK_BRANCHES

import pytest
import torch
import torch.nn.functional as F
from hourglass_ports import convert_hourglass
from mmengine.runner import Runner
from mmpose.registry import MODELS

from tests.conftest import ROOT

C, K = 16, 16
BEARPAW, PRINCETON = 'bearpaw/pytorch-pose', 'princeton-vl/pytorch_stacked_hourglass'


class Weights(dict):
    """A state dict that makes random weights the first time that they are used."""

    def conv(self, name, x, channels, size=1, stride=1):
        if f'{name}.weight' not in self:
            fan_in = x.shape[1] * size**2
            self[f'{name}.weight'] = torch.randn(channels, x.shape[1], size, size) / fan_in**0.5
            self[f'{name}.bias'] = torch.randn(channels)
        return F.conv2d(x, self[f'{name}.weight'], self[f'{name}.bias'], stride, size // 2)

    def norm_relu(self, name, x):
        n = x.shape[1]
        if f'{name}.weight' not in self:
            self[f'{name}.weight'], self[f'{name}.bias'] = torch.rand(n) + 0.5, torch.randn(n) * 0.2
            self[f'{name}.running_mean'] = torch.randn(n)
            self[f'{name}.running_var'] = torch.rand(n) * 2 + 0.5
            self[f'{name}.num_batches_tracked'] = torch.tensor(7)
        parts = (self[f'{name}.{p}'] for p in ('running_mean', 'running_var', 'weight', 'bias'))
        return F.relu(F.batch_norm(x, *parts))


def bearpaw(w: Weights, x, stacks: int):
    """The network of bearpaw/pytorch-pose, with one residual module per branch."""

    def residual(name, x, planes):  # makes twice as many channels as it has inside
        y = w.conv(f'{name}.conv1', w.norm_relu(f'{name}.bn1', x), planes)
        y = w.conv(f'{name}.conv2', w.norm_relu(f'{name}.bn2', y), planes, 3)
        y = w.conv(f'{name}.conv3', w.norm_relu(f'{name}.bn3', y), 2 * planes)
        if x.shape[1] != 2 * planes:
            x = w.conv(f'{name}.downsample.0', x, 2 * planes)
        return x + y

    def hourglass(name, n, x):
        up = residual(f'{name}.hg.{n - 1}.0.0', x, C // 2)
        low = residual(f'{name}.hg.{n - 1}.1.0', F.max_pool2d(x, 2), C // 2)
        inner = hourglass(name, n - 1, low) if n > 1 else residual(f'{name}.hg.0.3.0', low, C // 2)
        low = residual(f'{name}.hg.{n - 1}.2.0', inner, C // 2)
        return up + low.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    x = w.norm_relu('bn1', w.conv('conv1', x, C // 4, 7, 2))
    x = F.max_pool2d(residual('layer1.0', x, C // 4), 2)
    x = residual('layer3.0', residual('layer2.0', x, C // 2), C // 2)
    heatmaps = []
    for i in range(stacks):
        y = residual(f'res.{i}.0', hourglass(f'hg.{i}', 4, x), C // 2)
        y = w.norm_relu(f'fc.{i}.1', w.conv(f'fc.{i}.0', y, C))
        heatmaps.append(w.conv(f'score.{i}', y, K))
        if i + 1 < stacks:
            x = x + w.conv(f'fc_.{i}', y, C) + w.conv(f'score_.{i}', heatmaps[i], C)
    return heatmaps


def princeton(w: Weights, x, stacks: int):
    """The network of princeton-vl/pytorch_stacked_hourglass."""

    def residual(name, x, channels):
        y = w.conv(f'{name}.conv1.conv', w.norm_relu(f'{name}.bn1', x), channels // 2)
        y = w.conv(f'{name}.conv2.conv', w.norm_relu(f'{name}.bn2', y), channels // 2, 3)
        y = w.conv(f'{name}.conv3.conv', w.norm_relu(f'{name}.bn3', y), channels)
        skip = w.conv(f'{name}.skip_layer.conv', x, channels)  # there in any case
        return y + (x if x.shape[1] == channels else skip)

    def hourglass(name, n, x):
        up = residual(f'{name}.up1', x, C)
        low = residual(f'{name}.low1', F.max_pool2d(x, 2), C)
        name_2 = f'{name}.low2'
        low = hourglass(name_2, n - 1, low) if n > 1 else residual(name_2, low, C)
        low = residual(f'{name}.low3', low, C)
        return up + low.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    x = w.norm_relu('pre.0.bn', w.conv('pre.0.conv', x, C // 4, 7, 2))
    x = F.max_pool2d(residual('pre.1', x, C // 2), 2)
    x = residual('pre.4', residual('pre.3', x, C // 2), C)
    heatmaps = []
    for i in range(stacks):
        y = residual(f'features.{i}.0', hourglass(f'hgs.{i}.0', 4, x), C)
        y = w.norm_relu(f'features.{i}.1.bn', w.conv(f'features.{i}.1.conv', y, C))
        heatmaps.append(w.conv(f'outs.{i}.conv', y, K))
        if i + 1 < stacks:
            x = x + w.conv(f'merge_preds.{i}.conv.conv', heatmaps[i], C)
            x = x + w.conv(f'merge_features.{i}.conv.conv', y, C)
    return heatmaps


PORTS = {
    BEARPAW: (bearpaw, 'module.', [C // 4, C // 2, C]),
    PRINCETON: (princeton, 'model.module.', [C // 4, C // 2, C // 2]),
}


def load(cfg: dict, file: str) -> torch.nn.Module:
    model = MODELS.build(cfg).eval()
    found = model.load_state_dict(load_from_local(file)['state_dict'], strict=False)
    assert not found.unexpected_keys
    assert all(key.startswith(MASK_BRANCHES) for key in found.missing_keys)
    return model


@pytest.fixture
def image():
    return torch.randn(1, 3, 64, 128)


@pytest.mark.parametrize('stacks', [1, 2, 4, 8])
@pytest.mark.parametrize('name', PORTS)
@torch.no_grad()
def test_heatmaps_are_those_of_the_port(name, stacks, image, tmp_path):
    forward, prefix, widths = PORTS[name]
    theirs = Weights()
    expected = forward(theirs, image, stacks)
    if stacks == 2:  # a checkpoint of training on several GPUs
        file, state = 'checkpoint.pth.tar', {prefix + key: value for key, value in theirs.items()}
        torch.save({'epoch': 3, 'state_dict': state, 'optimizer': {'state': {}}}, tmp_path / file)
    else:
        file = 'weights.pth'
        torch.save(dict(theirs), tmp_path / file)
    out = str(tmp_path / 'out.safetensors')
    found = convert_hourglass(str(tmp_path / file), out)
    assert (found.port.name, found.num_stages) == (name, stacks)
    assert found.model['backbone']['stem_widths'] == widths
    for phase in ('pose', 'attention') if stacks > 1 else ('pose',):  # masks start as all ones
        model = load({**found.model, 'phase': phase}, out)
        for ours, wanted in zip(model(image, None), expected):
            assert (ours - wanted).abs().max() <= 1e-5 * max(1, wanted.abs().max())


@torch.no_grad()
def test_deployed_it_is_the_same_network(image, tmp_path):
    theirs = Weights()
    expected = bearpaw(theirs, image, 2)
    torch.save(dict(theirs), tmp_path / 'x.pth')
    found = convert_hourglass(str(tmp_path / 'x.pth'), str(tmp_path / 'x.safetensors'))
    model = load(found.model, str(tmp_path / 'x.safetensors'))
    model.switch_to_deploy()
    torch.testing.assert_close(model(image, None)[-1], expected[-1], atol=1e-4, rtol=1e-4)


def test_phase_2_starts_from_it(toy_config, image, tmp_path):
    theirs = Weights()
    bearpaw(theirs, image, 2)
    torch.save(dict(theirs), tmp_path / 'x.pth')
    out = str(tmp_path / 'x.safetensors')
    found = convert_hourglass(str(tmp_path / 'x.pth'), out)
    options = {f'model.backbone.{name}': value for name, value in found.model['backbone'].items()}
    options = {**options, 'load_from': out, 'train_cfg.max_epochs': 1}
    Runner.from_cfg(toy_config(2, **options)).train()
    del options['model.backbone.stem_widths']
    with pytest.raises(
        ACNNError, match=r'x.safetensors does not fit the model: shape: backbone.stem'
    ):
        Runner.from_cfg(toy_config(2, **options)).train()


def change(theirs: Weights, fault: str) -> object:
    """Make a file that can't be converted."""
    if fault == 'another network':
        return {'layer.weight': torch.zeros(1)}
    if fault == 'blocks':
        theirs['hg.0.hg.0.0.1.bn1.weight'] = torch.zeros(1)
    elif fault == 'part':
        del theirs['res.0.0.conv2.weight']
    elif fault == 'shape':
        theirs['hg.0.hg.1.0.0.conv2.weight'] = torch.zeros(1, 2, 3, 3)
    elif fault == 'odd':
        theirs['score.0.weight'] = torch.zeros(3)
    elif fault == 'infinite':
        theirs['score.0.bias'] += float('inf')
    return dict(theirs)


@pytest.mark.parametrize(
    ('fault', 'message'),
    [
        ('another network', 'holds no stacked hourglass; the layouts that can be'),
        ('blocks', r'hg.0.hg.0.0.1.bn1.weight has no place .*one residual module per branch'),
        ('part', 'missing: backbone.thetas.0.1.branch.1.2.weight'),
        ('shape', r'can not be converted: shape: backbone.thetas.0.0.inner.inner.skip.branch.1'),
        ('odd', 'it is no whole hourglass .ValueError'),
        ('infinite', 'score.0.bias is not finite'),
    ],
)
def test_what_is_no_hourglass_ends_in_one_sentence(fault, message, image, tmp_path):
    theirs = Weights()
    bearpaw(theirs, image, 1)
    torch.save(change(theirs, fault), tmp_path / 'x.pth')
    with pytest.raises(ACNNError, match=f'x.pth .*{message}'):
        convert_hourglass(str(tmp_path / 'x.pth'), str(tmp_path / 'out.safetensors'))
    assert [path.name for path in tmp_path.iterdir()] == ['x.pth']


def test_the_tool_says_what_the_config_needs_or_what_is_wrong(image, tmp_path, monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, 'argv', ['convert_hourglass.py', *args])
        runpy.run_path(str(ROOT / 'tools/convert_hourglass.py'), run_name='__main__')

    monkeypatch.chdir(tmp_path)
    theirs = Weights()
    bearpaw(theirs, image, 2)
    torch.save(dict(theirs), 'x.pth')
    run('x.pth', 'x.safetensors')
    said = capsys.readouterr().out
    assert '2 stacks of bearpaw/pytorch-pose' in said
    assert 'mean=[112.302, 113.22, 110.3385] and model.backbone.stem_widths=[4, 8, 16]' in said
    Path('bad.pth').write_bytes(pickle.dumps(print))
    with pytest.raises(SystemExit, match='bad.pth is not a checkpoint'):
        run('bad.pth', 'y.safetensors')
    with pytest.raises(SystemExit, match='y.pth must end in .safetensors'):
        run('x.pth', 'y.pth')


@pytest.mark.parametrize('stages', [2, 8])
@pytest.mark.parametrize('phase', [2, 3])
def test_the_configs_differ_from_the_papers_in_the_base_network_alone(stages, phase):
    ours = load_config(str(ROOT / f'configs/newell/acnn_hg{stages}_phase{phase}.py'))
    paper = load_config(str(ROOT / f'configs/acnn_phase{phase}.py'))
    for part in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'train_dataloader'):
        assert ours[part] == paper[part]
    assert ours.model.phase == paper.model.phase
    assert ours.model.backbone.num_stages == ours.model.head.num_stages == stages
