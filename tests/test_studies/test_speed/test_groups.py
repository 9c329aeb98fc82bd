from __future__ import annotations

from acnn_mmpose.engine import CpuAmpOptimWrapper, load_config
from acnn_mmpose.errors import ACNNError
from studies.speed import GROUPS, make_setup, run_benchmark, timing, to_json, to_text
from studies.speed import groups as groups_module
from studies.speed.networks import forward_pass, training_step

import pytest
import torch
from mmpose.registry import MODELS

from tests.test_complexity import measure_complexity


@pytest.fixture
def fast_bfloat16(monkeypatch):
    monkeypatch.setattr(timing, 'bfloat16_speedup', lambda: 2.0)


def test_every_case_runs_and_every_table_can_be_written(setup, fast_bfloat16, monkeypatch):
    monkeypatch.setattr(timing, 'MIN_ROUNDS', 1)
    monkeypatch.setattr(groups_module, '_can_compile', lambda _: False)  # takes minutes
    names = [name for name in GROUPS if name != 'memory']  # that takes a process per case
    tables = list(run_benchmark(setup, names, seconds=0))
    assert [table.title.split(',')[0] for table in tables] == [
        'Forward pass',
        'Forward pass',
        'Deployed',
        'Data pipeline in one worker',
        'Prediction of 1 person in an image',
        'Figures to log in a training step',
        'Optimizer step',
        'Training step',
    ]
    written = to_json(tables, 'cpu')
    for table, figures in zip(tables, written['tables']):
        text = to_text(table)
        for case in table.cases:
            assert case.name in text
            assert figures['cases'][case.name]['milliseconds'] > 0
    assert 'photographs generated, 1280x720 JPEG' in to_text(tables[3])

    first = written['tables'][0]['cases']['ACNN']['gflops'] * 1e9
    model = MODELS.build(setup.cfg.model)
    assert first == pytest.approx(measure_complexity(model, (128, 128)).flops)
    # a matrix product of N x N takes 2 N^3 operations
    assert tables[0].flops['matrix product, float32'] == 2 * 2048**3


def test_compiling_needs_a_compiler(setup, monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    (table,) = GROUPS['deploy'](setup)
    assert not [case.name for case in table.cases if 'compiled' in case.name]


def test_plain_differs_in_format_only(setup):
    plain, fast = (forward_pass(setup, 'ACNN', 2, plain=flag)() for flag in (True, False))
    torch.testing.assert_close(plain, fast)
    assert plain[-1].is_contiguous()
    assert not fast[-1].is_contiguous()
    plain, fast = (training_step(setup, 'ACNN', plain=flag)() for flag in (True, False))
    torch.testing.assert_close(plain['loss'], fast['loss'])
    assert plain['acc_pose'].dtype == torch.float64  # numpy's


def test_mixed_precision_is_that_of_training(setup, monkeypatch):
    used = []
    context = CpuAmpOptimWrapper.optim_context
    monkeypatch.setattr(
        CpuAmpOptimWrapper, 'optim_context', lambda *args: used.append(1) or context(*args)
    )
    assert torch.isfinite(training_step(setup, 'ACNN', amp=True)()['loss'])
    assert used


def test_bfloat16_is_left_out_where_it_is_slow(setup, monkeypatch):
    monkeypatch.setattr(timing, 'bfloat16_speedup', lambda: 0.1)
    for table in (*GROUPS['forward'](setup), *GROUPS['train'](setup)):
        assert {case.dtype for case in table.cases} == {torch.float32}


def test_data_that_is_there_is_used(setup, toy_root, monkeypatch, tmp_path, root):
    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))
    cfg = load_config(str(root / 'configs/toy/acnn_toy_phase3.py'))
    people = make_setup(cfg, 'cpu', [1], str(tmp_path)).people
    assert len(people) == 8
    assert people[0]['img_path'].startswith(str(toy_root))


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        ((3, 'cuda:99', [1]), 'device cuda:99 can not be used'),
        ((3, 'gpu', [1]), 'device gpu can not be used'),
        ((3, 'cpu', [0]), 'a batch needs at least 1 image, not 0'),
        ((1, 'cpu', [1]), 'give the config of phase 3'),
    ],
)
def test_bad_options_are_named(toy_config, tmp_path, arguments, sentence):
    number, device, sizes = arguments
    with pytest.raises(ACNNError, match=sentence):
        make_setup(toy_config(number), device, sizes, str(tmp_path))
