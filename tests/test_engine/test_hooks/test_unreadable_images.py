"""Training with unreadable images: logged once, counted, exact when resumed, and limited."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

from acnn_mmpose.engine import train_in_order
from acnn_mmpose.engine.hooks import UnreadableImagesHook
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmpose.registry import DATASETS

from tests.conftest import toy_phase


@pytest.fixture
def damaged_root(toy_root, tmp_path, monkeypatch) -> Path:
    """The toy data with the images of two training people damaged."""
    root = Path(shutil.copytree(toy_root, tmp_path / 'damaged'))
    for name in ('000000003.jpg', '000000011.jpg'):
        (root / 'images' / name).write_bytes(b'no image')
    monkeypatch.setenv('ACNN_DATA_ROOT', str(root))
    return root


def train(work: Path, resume: str | None = None, **options) -> dict[str, torch.Tensor]:
    workers = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}
    options = {'val_cfg': None, 'val_dataloader': None, 'val_evaluator': None, **options}
    options['default_hooks.checkpoint.save_best'] = None
    cfg = toy_phase(1, work, **workers, **options)
    train_in_order([cfg], resume)
    return torch.load(f'{cfg.work_dir}/epoch_{cfg.train_cfg.max_epochs}.pth')['state_dict']


def test_files_are_logged_once_and_a_resumed_run_repeats_the_replacements(damaged_root, tmp_path):
    whole = train(tmp_path / 'whole')
    (log,) = (tmp_path / 'whole/phase1').glob('*/*.log')
    lines = [line for line in log.read_text().splitlines() if 'can not be read' in line]
    assert len(lines) == 2
    assert f'image {damaged_root}/images/000000003.jpg can not be read' in '\n'.join(lines)
    assert '(unreadable: 2 images, at most 10 are allowed)' in lines[1]

    train(tmp_path / 'parts', **{'train_cfg.max_epochs': 1})
    parts = train(tmp_path / 'parts', resume='auto')
    assert all(torch.equal(value, parts[key]) for key, value in whole.items())


def test_more_than_the_limit_end_the_run(damaged_root, tmp_path):
    limit = {'train_dataloader.dataset.max_unreadable': 1}
    with pytest.raises(ACNNError, match=r'^2 images .*max_unreadable is 1: restore.*--resume'):
        train(tmp_path, **limit)


def test_processes_learn_from_each_other(damaged_root, tmp_path, monkeypatch):
    """With a stand-in for the exchange: another process found the person 5."""

    def exchange(found, operation):
        assert operation == 'max'
        found[5] = 1

    monkeypatch.setattr('acnn_mmpose.engine.hooks.unreadable_images.all_reduce', exchange)
    dataset = DATASETS.build(toy_phase(1, tmp_path).train_dataloader.dataset)
    dataset[2]  # unreadable, found by this process
    warnings = []
    runner = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=dataset),
        logger=SimpleNamespace(warning=warnings.append),
        iter=0,
    )
    hook = UnreadableImagesHook(interval=1)
    hook.after_train_iter(runner, 0)
    hook.after_train_iter(runner, 0)
    assert dataset.unreadable.nonzero().flatten().tolist() == [2, 5]
    assert ['000000003.jpg' in warnings[0], '000000006.jpg' in warnings[1]] == [True, True]
    assert len(warnings) == 2
    dataset.max_unreadable = 1
    with pytest.raises(ACNNError, match='2 images of the training set'):
        hook.after_train_iter(runner, 0)
