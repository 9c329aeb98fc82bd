"""Damaged files end in success or in one of our errors: no foreign exception, no hang, no change.

Each case is a file, damaged as its name says, and given to what reads it. A case that fails is
repeated by its name, `pytest "tests/test_fuzz.py::test_damage[image-17]"`. The long version is
`ACNN_FUZZ=2000 python -m pytest tests/test_fuzz.py`; it prints what became of each kind.
"""

from __future__ import annotations

import copy
import faulthandler
import functools
import hashlib
import os
import resource
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace

from acnn_mmpose import engine
from acnn_mmpose.checkpoints import publish_checkpoint
from acnn_mmpose.checkpoints.load import load_from_local
from acnn_mmpose.checkpoints.validate import check_checkpoint
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation.predictions import evaluate_file
from acnn_mmpose.inference import FileBoxes, open_source, run_inference
from acnn_mmpose.mpii import check_mpii
from acnn_mmpose.toy.dataset import make_toy_dataset
from acnn_mmpose.visualization import AttentionVisualizer

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmpose.apis import inference_topdown
from mmpose.registry import DATASETS
from scipy.io import savemat

from tests.conftest import toy_phase
from tests.corruptions import (
    damage_bytes,
    damage_checkpoint,
    damage_json,
    damage_mat,
    damage_npz,
    damage_weights_file,
)

CASES = int(os.environ.get('ACNN_FUZZ', 150))
SECONDS = 20  # that a case may take
GIGABYTES = 4  # that a case may ask for


class Hang(BaseException):
    """A case took too long; not an Exception, which readers of damaged files may catch."""


@pytest.fixture(scope='module')
def world(trained, tmp_path_factory) -> SimpleNamespace:
    """A network, and sound files of every kind, to be copied to ``arena`` for each case."""
    folder = tmp_path_factory.mktemp('fuzz')
    sound = folder / 'sound'
    make_toy_dataset(sound / 'root', num_train=2, num_val=2)
    shutil.copy(trained['joint'], sound / 'a.pth')
    publish_checkpoint(str(trained['joint']), str(sound / 'a'))
    image = next((sound / 'root/images').iterdir())
    shutil.copy(image, sound / 'a.jpg')
    cv2.imwrite(str(sound / 'a.png'), cv2.imread(str(image)))
    (sound / 'boxes.json').write_text('{"a.jpg": [[1, 2, 90, 120], [30, 40, 99.5, 150]]}')
    keypoints = np.random.default_rng(0).uniform(0, 200, (2, 16, 2))
    (sound / 'p.json').write_text(f'{{"preds": {keypoints.tolist()}}}')
    savemat(sound / 'p.mat', {'preds': keypoints})
    np.savez(sound / 'p.npz', id=[0, 1], preds=keypoints)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ACNN_DATA_ROOT', str(folder / 'arena/root'))
        cfg = toy_phase(3, folder)
    return SimpleNamespace(
        folder=folder,
        sound=sound,
        arena=folder / 'arena',
        root=folder / 'arena/root',
        cfg=cfg,
        model=engine.load_model(cfg, str(trained['joint'])),
    )


@pytest.fixture(scope='module')
def tally(request):
    """Count what became of the cases, and print it."""
    counts = {kind.__name__: Counter() for kind in KINDS}
    yield counts
    capture = request.config.pluginmanager.getplugin('capturemanager')
    with capture.global_and_fixture_disabled():
        print('\n\nkind            cases  read  refused')
        for kind, count in counts.items():
            print(f'{kind:15}{sum(count.values()):6}{count["read"]:6}{count["refused"]:9}')


@pytest.fixture
def limits():
    """End a case that takes too long or asks for too much memory."""

    def hang(*_):
        raise Hang(f'not done after {SECONDS} seconds')

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True)  # where no signal gets through
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + GIGABYTES * 2**30, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# --- what is damaged, and what then reads it -----------------------------------------------------


def image(world: SimpleNamespace, chance: Random) -> Callable[[], None]:
    where = chance.choice(['jpg', 'png', 'data'])
    if where == 'data':
        images = sorted((world.root / 'images').iterdir())
        damage(chance.choice(images), chance, damage_bytes)
        return lambda: read_data(world, chance.choice(['train', 'test', 'check']))
    file = damage(world.arena / f'a.{where}', chance, damage_bytes)
    return lambda: predict(world, chance, file)


def annotations(world: SimpleNamespace, chance: Random) -> Callable[[], None]:
    split, way = chance.choice(
        [
            *(('train', 'train'), ('train', 'check')),
            *(('val', 'train'), ('val', 'test'), ('val', 'check'), ('val', 'evaluate')),
        ]
    )
    file = world.root / f'annotations/mpii_{split}.json'
    damage(file, chance, damage_bytes, damage_json, damage_json)
    return lambda: read_data(world, way)


def head_boxes(world: SimpleNamespace, chance: Random) -> Callable[[], None]:
    damage(world.root / 'annotations/mpii_gt_val.mat', chance, damage_bytes, damage_mat)
    return lambda: read_data(world, chance.choice(['train', 'test', 'check', 'evaluate']))


def checkpoint(world: SimpleNamespace, chance: Random) -> Callable[[], None]:
    file, meant = world.arena / 'a.pth', chance.random() < 0.6
    damage(file, chance, damage_checkpoint if meant else damage_bytes)
    return lambda: load(world, chance, file, sound_or_refused=not meant)


def weights_file(world: SimpleNamespace, chance: Random) -> Callable[[], None]:
    (file,) = world.arena.glob('a-*.safetensors')
    unpacked = load_from_local(str(file))
    if chance.random() < 0.9:  # otherwise its name gives the damage away
        file = file.rename(file.with_name('a.safetensors'))
    meant = chance.random() < 0.6
    spoil = functools.partial(damage_weights_file, unpacked=unpacked)
    damage(file, chance, spoil if meant else damage_bytes)
    return lambda: load(world, chance, file, sound_or_refused=not meant)


def boxes(world: SimpleNamespace, chance: Random) -> Callable[[], None]:
    file = damage(world.arena / 'boxes.json', chance, damage_bytes, damage_json)
    return lambda: predict(world, chance, world.arena / 'a.jpg', file)


def predictions(world: SimpleNamespace, chance: Random) -> Callable[[], None]:
    suffix, structured = chance.choice(
        [('json', damage_json), ('mat', damage_mat), ('npz', damage_npz)]
    )
    file = damage(world.arena / f'p.{suffix}', chance, damage_bytes, structured)
    return lambda: evaluate(world, file)


KINDS = (image, annotations, head_boxes, checkpoint, weights_file, boxes, predictions)


def damage(file: Path, chance: Random, *ways: Callable[[bytes, Random], bytes]) -> Path:
    """Damage a file in one of several ways."""
    file.write_bytes(chance.choice(ways)(file.read_bytes(), chance))
    return file


def read_data(world: SimpleNamespace, way: str) -> None:
    """Read the data root as one of the tools does."""
    if way == 'check':
        problems = check_mpii(world.root)
        if problems:
            raise ACNNError(problems[0])
    elif way == 'evaluate':
        evaluate(world, world.arena / 'p.json')
    elif way == 'train':
        engine.check_data(world.cfg, 'train', 'val')
        dataset = DATASETS.build(copy.deepcopy(world.cfg.train_dataloader.dataset))
        batch = pseudo_collate([dataset[i] for i in range(len(dataset))])
        with torch.no_grad():
            losses = world.model(**world.model.data_preprocessor(batch, True), mode='loss')
        assert torch.isfinite(losses['loss_kpt']), 'damage that spoils training went unnoticed'
    else:
        engine.check_data(world.cfg, 'test')
        dataset = DATASETS.build(copy.deepcopy(world.cfg.test_dataloader.dataset))
        batch = pseudo_collate([dataset[i] for i in range(len(dataset))])
        evaluator = Evaluator([world.cfg.test_evaluator])
        evaluator.dataset_meta = dataset.metainfo
        evaluator.process([s.to_dict() for s in world.model.test_step(batch)], batch)
        metrics = evaluator.evaluate(len(dataset))
        assert np.isfinite(list(metrics.values())).all(), (
            'damage that spoils figures went unnoticed'
        )


def evaluate(world: SimpleNamespace, file: Path) -> None:
    """Read predictions as eval_predictions.py does."""
    annotations = world.root / 'annotations'
    evaluate_file(file, 0, annotations / 'mpii_val.json', annotations / 'mpii_gt_val.mat')


def predict(world: SimpleNamespace, chance: Random, file: Path, boxes: Path | None = None) -> None:
    """Read an image, and perhaps boxes, as infer.py or MMPose's function does."""
    if boxes is None and chance.random() < 0.3:
        inference_topdown(world.model, str(file), [[20, 10, 130, 200]])
        return
    find_boxes = None if boxes is None else FileBoxes(str(boxes))
    visualizer = AttentionVisualizer(mode=chance.choice(['pose', 'attention']))
    out = str(world.folder / 'out')
    run_inference(world.model, open_source(str(file)), visualizer, out, find_boxes)


def load(world: SimpleNamespace, chance: Random, file: Path, sound_or_refused: bool) -> None:
    """Load a checkpoint to predict, to start from, to publish or to resume."""
    if sound_or_refused:
        saved = world.model.state_dict()
        for key, value in load_from_local(str(file))['state_dict'].items():
            # a damaged name is refused below, as it is not the model's
            assert torch.equal(value, saved.get(key, value)), f'damage to {key} went unnoticed'
    way = chance.choice(['predict'] * 4 + ['start', 'publish', 'resume'])
    if way == 'predict':
        model = engine.load_model(copy.deepcopy(world.cfg), str(file))
        sound = SimpleNamespace(folder=world.folder, model=model)
        predict(sound, chance, world.arena / 'a.jpg')
    elif way == 'start':
        check_checkpoint(world.model, load_from_local(str(file)), str(file), 'start')
    elif way == 'publish':
        publish_checkpoint(str(file), str(world.folder / 'out/x'))
    else:
        cfg = copy.deepcopy(world.cfg)
        cfg.work_dir = str(world.folder / 'out')
        engine.train_in_order([cfg], resume=str(file))


# --- the loop ------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='limits memory as on Linux')
@pytest.mark.parametrize(
    'case', [f'{KINDS[i % len(KINDS)].__name__}-{i // len(KINDS)}' for i in range(CASES)]
)
def test_damage(world, tally, limits, case):
    name, chance = case.partition('-')[0], Random(case)
    shutil.rmtree(world.arena, ignore_errors=True)
    shutil.copytree(world.sound, world.arena)
    use = globals()[name](world, chance)
    before = fingerprints(world.arena)
    outcome = 'read'
    try:
        use()
    except ACNNError:
        outcome = 'refused'
    assert fingerprints(world.arena) == before, 'an input file was changed'
    tally[name][outcome] += 1


def fingerprints(folder: Path) -> dict[Path, str]:
    files = (path for path in folder.rglob('*') if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
