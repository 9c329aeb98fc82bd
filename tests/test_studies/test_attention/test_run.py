from __future__ import annotations

import fcntl
import json
import time
from pathlib import Path
from types import SimpleNamespace

from acnn_mmpose.engine import read_config
from acnn_mmpose.errors import ACNNError
from studies.attention import describe_progress, run_plan
from studies.attention.results import (
    _sketch,
    append_line,
    is_of,
    read_lines,
    without_augmentation,
)

import pytest
import torch
from mmengine.runner import Runner


@pytest.fixture
def lines(finished) -> list[dict]:
    return read_lines(finished / 'tiny.jsonl')


def test_masks_are_measured_on_people_as_they_are(root):
    for name in ('studies/attention/plans/small/acnn_phase1.py', 'configs/acnn_phase1.py'):
        pipeline = read_config(str(root / name))
        pipeline = pipeline.train_dataloader.dataset.pipeline
        for box in ('FastBBoxTransform', 'RandomBBoxTransform'):
            pipeline[3].type = box
            assert [step.type for step in without_augmentation(pipeline)] == [
                'LoadReadableImage',
                'GetBBoxCenterScale',
                'TopdownCrop',
                'GenerateTarget',
                'PackPoseInputs',
            ]


def test_a_sketch_has_the_mask_in_digits_and_the_joints_in_cells():
    masks = torch.tensor([[[0, 1, 0.5], [1, 0.1, 0]]])
    heatmaps = torch.zeros(2, 2, 3)
    heatmaps[0, 1, 2] = heatmaps[1, 0, 1] = 1
    assert _sketch(masks, heatmaps) == dict(mask=['094', '910'], joints=[[2, 1], [1, 0]])


@pytest.fixture
def trainings(monkeypatch):
    """What Runner.train() was called on: epochs trained before, planned epochs."""
    calls = []
    train = Runner.train

    def record(self):
        model = train(self)
        calls.append((self.epoch, self.max_epochs))
        return model

    monkeypatch.setattr(Runner, 'train', record)
    return calls


def test_variants_share_what_they_have_in_common(finished, lines):
    assert [line['variant'] for line in lines] == ['hourglass', 'acnn', 'bias_4']
    notes = [json.loads(path.read_text()) for path in (finished / 'phases').glob('*/phase.json')]
    trained = sorted(Path(note['config']).stem for note in notes)
    expected = [
        'acnn_toy_phase1',
        *['acnn_toy_phase2'] * 2,
        *['acnn_toy_phase3'] * 2,
        'toy_hourglass',
    ]
    assert trained == expected
    for one, other in zip(lines, lines[1:]):
        assert one['epochs'] == other['epochs'] == 3
        assert one['samples'] == other['samples'] == 3 * 24
    assert lines[1]['seconds'][0] == lines[2]['seconds'][0]  # of one training


def test_a_line_says_what_was_trained_by_what_and_what_came_out(plan, lines):
    line = lines[1]
    assert json.loads(json.dumps(line)) == line
    assert (line['experiment'], line['seed']) == ('tiny', 0)
    assert line['phases'] == plan.runs([0], ['acnn'])[0].declared()
    assert line['train_data']['people'] == 24
    assert line['val_data']['people'] == 8
    assert line['train_data']['sha256'] != line['val_data']['sha256']
    (piece,) = line['pieces'][0]
    assert {'commit', 'torch', 'mmpose', 'device', 'threads'} <= set(piece)
    assert all(seconds > 0 for seconds in line['seconds'])
    table = line['scores']['PCKh@0.5']
    assert list(table) == ['prediction', 'stage 1, P(1)', 'stage 2, P(2)']
    assert table['prediction'] == table['stage 2, P(2)']
    assert {'Total', 'Mean14', 'Head', 'Ank.'} <= set(table['prediction'])
    ((everywhere, joints, background),) = line['coverage']
    assert 0 <= min(everywhere, joints, background) <= max(everywhere, joints, background) <= 1
    assert lines[0]['coverage'] == [[1.0, 1.0, 1.0]]
    assert lines[0]['people'] == []
    pose, attention, joint = line['curves']
    assert {'loss', 'grad_rms_pose'} <= set(pose)
    assert 'grad_rms_mask1' not in pose
    assert {'mask1_background_coverage', 'grad_rms_attention', 'grad_rms_mask1'} <= set(attention)
    assert 'grad_rms_feature1' in joint
    ((epoch, value),) = joint['loss']
    assert 0 < epoch < 1
    assert value > 0


def test_what_is_finished_is_skipped(plan, finished, lines, trainings):
    results = finished / 'tiny.jsonl'
    assert run_plan(plan, plan.runs([0]), str(finished / 'phases'), results) == []
    assert trainings == []
    assert read_lines(results) == lines


@pytest.mark.parametrize('other', ['phases', 'val_data', 'key'])
def test_a_line_that_the_report_leaves_out_does_not_count_as_finished(
    plan, finished, lines, tmp_path, other
):
    (run,) = plan.runs([0], ['hourglass'])
    results = tmp_path / 'r.jsonl'
    args = (plan, [run], str(finished / 'phases'), results)
    append_line(results, lines[0])
    assert next(describe_progress(*args)).endswith('finished')
    changed = dict(phases=[], val_data={**lines[0]['val_data'], 'sha256': 'x'}, key='k')
    results.write_text(json.dumps({**lines[0], other: changed[other]}) + '\n')
    assert next(describe_progress(*args)).endswith('3 of 3 epochs')


def test_a_line_of_an_earlier_layout_counts_by_variant_seed_and_epochs(plan, lines):
    hourglass, acnn, _ = plan.runs([0])
    line = {**lines[0], 'key': 'of configs in other words', 'layout': 1}
    line['phases'] = [{**phase, 'options': {}} for phase in line['phases']]
    assert is_of(line, hourglass, lines[0]['key'])
    assert not is_of(line, acnn, lines[0]['key'])
    assert not is_of({**line, 'layout': 2}, hourglass, lines[0]['key'])
    line['phases'][0]['epochs'] += 1
    assert not is_of(line, hourglass, lines[0]['key'])


def test_pieces_give_what_one_run_gives(plan, lines, trainings, tmp_path, monkeypatch):
    (run,) = plan.runs([0], ['hourglass'])
    results = tmp_path / 'r.jsonl'
    args = (plan, [run], str(tmp_path / 'phases'), results)
    assert run_plan(*args, deadline=time.time() - 1) == [run]
    assert trainings == []  # the time was up before it began
    for epoch in (1, 2):
        with monkeypatch.context() as patch:
            late = SimpleNamespace(time=lambda: 1e12, monotonic=time.monotonic)
            patch.setattr('studies.attention.clock.time', late)
            assert run_plan(*args, deadline=time.time() + 60) == [run]
        assert trainings.pop() == (epoch, 3)
        (state,) = describe_progress(*args)
        assert state == f'tiny: hourglass, seed 0: {epoch} of 3 epochs'
    assert run_plan(*args) == []
    assert trainings == [(3, 3)]
    (line,) = read_lines(results)
    assert line['scores'] == lines[0]['scores']
    assert line['curves'][0]['loss'] == lines[0]['curves'][0]['loss']
    assert list(describe_progress(*args)) == ['tiny: hourglass, seed 0: finished']


def test_a_line_that_got_lost_is_measured_again_without_training(
    plan, finished, lines, trainings, tmp_path
):
    runs = plan.runs([0], ['bias_4'])
    assert run_plan(plan, runs, str(finished / 'phases'), tmp_path / 'r.jsonl') == []
    assert trainings == []
    assert read_lines(tmp_path / 'r.jsonl') == lines[2:]


def test_what_another_process_trains_is_left_to_it(plan, finished, lines, trainings, tmp_path):
    key = lines[1]['key']
    with (finished / 'phases' / key / 'run.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        runs = plan.runs([0], ['acnn', 'bias_4'])
        args = (plan, runs, str(finished / 'phases'), tmp_path / 'r.jsonl')
        assert run_plan(*args, deadline=time.time() - 1) == runs[:1]
    assert trainings == []


def test_a_run_waits_for_what_another_process_trains(plan, finished, lines, tmp_path, monkeypatch):
    runs = plan.runs([0], ['acnn', 'bias_4'])
    with (finished / 'phases' / lines[1]['key'] / 'run.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pauses = []

        def release(seconds):
            pauses.append(seconds)
            fcntl.flock(lock, fcntl.LOCK_UN)

        patched = SimpleNamespace(time=time.time, sleep=release)
        monkeypatch.setattr('studies.attention.run.time', patched)
        assert run_plan(plan, runs, str(finished / 'phases'), tmp_path / 'r.jsonl') == []
    assert len(pauses) == 1
    assert [line['variant'] for line in read_lines(tmp_path / 'r.jsonl')] == ['bias_4', 'acnn']


def test_runs_on_other_data_are_refused_before_anything_is_trained(
    plan, lines, tmp_path, trainings
):
    other = {**lines[0], 'train_data': {**lines[0]['train_data'], 'sha256': 'x', 'name': 'photos'}}
    append_line(tmp_path / 'r.jsonl', other)
    with pytest.raises(ACNNError, match=r'r.jsonl has runs on other data \(photos\) than these'):
        run_plan(plan, plan.runs(), str(tmp_path / 'phases'), tmp_path / 'r.jsonl')
    assert not (tmp_path / 'phases').exists()
    assert trainings == []


def test_a_line_that_was_cut_off_does_not_take_the_next_one_along(tmp_path):
    file = tmp_path / 'x.jsonl'
    append_line(file, {'a': 1})
    whole = file.read_text()
    file.write_text(whole + '{"a": 2, "b"')
    append_line(file, {'a': 3})
    assert file.read_text().splitlines() == ['{"a": 1}', '{"a": 2, "b"', '{"a": 3}']


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        ('{"a":', 'is not json'),
        ('{"variant": "acnn"}', "is not the result of a run, for it has no 'seed': remove it"),
        ('17', "is not the result of a run, for it has no 'variant': remove it"),
    ],
)
def test_a_broken_line_is_named(lines, tmp_path, text, sentence):
    file = tmp_path / 'x.jsonl'
    file.write_text(f'{json.dumps(lines[0])}\n{text}\n')
    with pytest.raises(ACNNError, match=f'line 2 of .*x.jsonl {sentence}'):
        read_lines(file)


def test_missing_data_stop_before_anything_is_trained(plan, tmp_path, monkeypatch, trainings):
    monkeypatch.setenv('ACNN_DATA_ROOT', str(tmp_path))
    with pytest.raises(ACNNError, match=r'mpii_train.json, which does not exist'):
        run_plan(plan, plan.runs(), str(tmp_path / 'phases'), tmp_path / 'r.jsonl')
    assert not (tmp_path / 'phases').exists()
