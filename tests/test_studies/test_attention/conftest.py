"""A tiny experiment on toy data, run once."""

from __future__ import annotations

from pathlib import Path

from studies.attention import Plan, load_plan, run_plan

import pytest

from tests.conftest import FAST_TRAINING, ROOT

OPTIONS = {
    **{key: value for key, value in FAST_TRAINING.items() if 'train_cfg' not in key},
    'model.backbone.channels': 8,
    'model.head.in_channels': 8,
    'train_cfg.val_begin': 99,
}
PLAN = """
name = 'tiny'
budget = 3
seeds = [0, 1]
figures = ['scores', 'masks', 'gradients', 'people']

pose, attention, joint = (
    dict(config='{configs}/acnn_toy_phase%d.py' % n, epochs=1, options={options}) for n in (1, 2, 3)
)
open_masks = dict(attention['options'], **{{'model.backbone.mask_branch.init_bias': 4.0}})
whole = dict(config='{configs}/toy_hourglass.py', epochs={epochs}, options={options})

variants = dict(
    hourglass=dict(title='the hourglass', phases=[whole]),
    acnn=dict(title='ACNN', phases=[pose, attention, joint]),
    bias_4=dict(
        title='bias 4',
        phases=[pose, dict(attention, options=open_masks), dict(joint, options=open_masks)],
    ),
)
"""


def write_plan(folder: Path, epochs: int = 3) -> str:
    """Write the plan, whose hourglass trains for so many epochs."""
    path = folder / 'tiny.py'
    text = PLAN.format(configs=ROOT / 'configs/toy', options=OPTIONS, epochs=epochs)
    path.write_text(text)
    return str(path)


@pytest.fixture(autouse=True)
def _toy_data(toy_root, monkeypatch):
    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))


@pytest.fixture
def plan(tmp_path) -> Plan:
    return load_plan(write_plan(tmp_path))


@pytest.fixture(scope='session')
def finished(toy_root, tmp_path_factory) -> Path:
    """The folder of the plan after seed 0 was run: phases/ and tiny.jsonl."""
    folder = tmp_path_factory.mktemp('tiny')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ACNN_DATA_ROOT', str(toy_root))
        plan = load_plan(write_plan(folder))
        left = run_plan(plan, plan.runs([0]), str(folder / 'phases'), folder / 'tiny.jsonl')
    assert left == []
    return folder
