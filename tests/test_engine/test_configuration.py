from __future__ import annotations

import inspect
import re

from acnn_mmpose import engine
from acnn_mmpose.errors import ACNNError

import pytest
from mmengine.config import Config
from mmengine.runner import Runner


def test_a_missing_config_is_named():
    with pytest.raises(ACNNError, match='config file nowhere.py does not exist'):
        engine.load_config('nowhere.py')


@pytest.mark.parametrize(
    'file', ['annotations/mpii_train.json', 'annotations/mpii_gt_val.mat', 'images']
)
def test_missing_data_is_named_with_the_remedy(toy_config, tmp_path, monkeypatch, root, file):
    for path in ('images', 'annotations'):
        (tmp_path / 'data' / path).mkdir(parents=True)
    for name in ('mpii_train.json', 'mpii_val.json', 'mpii_gt_val.mat'):
        (tmp_path / 'data' / 'annotations' / name).touch()
    missing = tmp_path / 'data' / file
    missing.rmdir() if missing.is_dir() else missing.unlink()
    monkeypatch.setenv('ACNN_DATA_ROOT', str(tmp_path / 'data'))
    cfg = engine.load_config(str(root / 'configs/acnn_phase1.py'))
    with pytest.raises(ACNNError, match=rf'{file}, which does not exist.*ACNN_DATA_ROOT'):
        engine.check_data(cfg, 'train', 'val')


def test_work_dir_comes_from_the_argument_then_the_config_then_its_name(tmp_path, root):
    path = tmp_path / 'some.py'
    base = f"_base_ = ['{root}/configs/acnn_phase1.py']\n"
    path.write_text(base)
    assert engine.load_config(str(path)).work_dir == 'work_dirs/some'
    path.write_text(f"{base}work_dir = 'own'")
    assert engine.load_config(str(path)).work_dir == 'own'
    assert engine.load_config(str(path), 'given').work_dir == 'given'


def test_no_workers_can_not_persist(root):
    options = {'train_dataloader.num_workers': 0, 'test_dataloader': None}
    cfg = engine.load_config(str(root / 'configs/acnn_phase1.py'), cfg_options=options)
    assert cfg.val_dataloader.persistent_workers
    assert not cfg.train_dataloader.persistent_workers  # or torch refuses to start


def test_a_dump_must_be_npz():
    with pytest.raises(ACNNError, match='out.json must end in .npz'):
        engine.dump_predictions(Config(), 'out.json')


def test_a_dump_comes_beside_the_metrics(toy_config, tmp_path):
    cfg = toy_config(1)
    metric = cfg.test_evaluator
    engine.dump_predictions(cfg, str(tmp_path / 'out.npz'))
    dump = dict(type='DumpPredictions', file=str(tmp_path / 'out.npz'))
    assert cfg.test_evaluator == [metric, dump]


def test_pictures_go_where_the_command_was_given(toy_config, tmp_path, monkeypatch):
    cfg = toy_config(1)
    monkeypatch.chdir(tmp_path)
    engine.show_predictions(cfg, 'shown')
    hook = cfg.default_hooks.visualization
    assert (hook.enable, hook.out_dir) == (True, str(tmp_path / 'shown'))
    assert (tmp_path / 'shown').is_dir()


def test_hooks_that_are_left_out_are_no_hindrance(toy_config, tmp_path):
    cfg = toy_config(1, **{'default_hooks.visualization': None, 'default_hooks.checkpoint': None})
    engine.show_predictions(cfg, str(tmp_path / 'shown'))
    engine.disable_validation(cfg)
    assert cfg.default_hooks.visualization.enable
    assert (cfg.default_hooks.checkpoint, cfg.val_cfg) == (None, None)
    cfg = toy_config(1, default_hooks=None)
    engine.disable_validation(cfg)
    engine.show_predictions(cfg, str(tmp_path / 'shown'))
    assert list(cfg.default_hooks) == ['visualization']


@pytest.mark.parametrize('text', ['x = (', 'x = unknown', "_base_ = ['nowhere.py']"])
def test_a_broken_config_is_named(tmp_path, text):
    path = tmp_path / 'broken.py'
    path.write_text(text)
    with pytest.raises(ACNNError, match=r'broken.py can not be read as a config'):
        engine.load_config(str(path))


@pytest.mark.parametrize('name', ['ACNN_DATA_ROOT', 'ACNN_LSPET_ROOT'])
def test_an_empty_data_root_is_named(root, monkeypatch, name):
    monkeypatch.setenv(name, '')
    with pytest.raises(ACNNError, match=f'{name} is set but empty'):
        engine.load_config(str(root / 'configs/acnn_phase1.py'))


def test_an_untrained_network_knows_nothing(toy_config):
    metrics = Runner.from_cfg(toy_config(1)).test()
    assert metrics['PCK'] < 10


def test_entries_of_a_list_are_named_by_their_type():
    cfg = Config(dict(pipeline=[dict(type='A', x=1), dict(type='B'), dict(type='A')], plain=[1]))
    engine.merge_options(cfg, {'pipeline.A.x': 2, 'pipeline.1.y.z': 3}, '')
    assert cfg.pipeline == [dict(type='A', x=2), dict(type='B', y=dict(z=3)), dict(type='A', x=2)]
    with pytest.raises(ACNNError, match='options do not fit .*there is no C, but A, B, A'):
        engine.merge_options(cfg, {'pipeline.C.x': 2}, 'options do not fit')
    with pytest.raises(ACNNError, match='options do not fit'):
        engine.merge_options(cfg, {'plain.C.x': 2}, 'options do not fit')


def test_an_option_that_nothing_reads_is_named(toy_config):
    cfg = toy_config(1)
    with pytest.raises(ACNNError, match=r"options do not fit \(KeyError\('optim_wraper'\)\)"):
        engine.merge_options(cfg, {'optim_wraper.optimizer.lr': 1}, 'options do not fit')
    engine.merge_options(cfg, {'randomness.seed': 1}, 'options do not fit')
    assert cfg.randomness.seed == 1
    runner = inspect.getsource(Runner)
    read = set(re.findall(r"self\.cfg\.get\(\s*'(\w+)'", runner)) - {'cfg'}
    assert 'sync_bn' in read
    engine.merge_options(cfg, dict.fromkeys([*read, 'compile']), 'options do not fit')
