from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation.predictions import evaluate_file, read_predictions
from acnn_mmpose.evaluation.table import TableRow

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tests.mpii_root import make_mpii_root

TOOL = Path(__file__).parents[2] / 'tools' / 'eval_predictions.py'


def row(rows: list[TableRow], measure: str):
    return next(row.scores for row in rows if row.measure == measure)


def test_published_predictions_score_what_was_published(shared_data, monkeypatch, capsys, tmp_path):
    folder = shared_data / 'mpii_val'
    files = ['--ann-file', folder / 'mpii_val.json', '--headbox-file', folder / 'mpii_gt_val.mat']
    tables = {}
    for base in ('0', '1'):
        out = tmp_path / f'base{base}'
        args = [TOOL, folder / 'predictions_hg_s2_b1.mat', '--base', base, *files, '--out', out]
        monkeypatch.setattr(sys, 'argv', list(map(str, args)))
        runpy.run_path(str(TOOL), run_name='__main__')
        assert f'read as {base}-based coordinates' in capsys.readouterr().out
        rows = json.loads(out.with_suffix('.json').read_text())
        tables[base] = {row.pop('measure'): list(row.values())[1:] for row in rows}
    half, tenth = tables['1']['PCKh@0.5'], tables['1']['PCKh@0.1']
    published = [95.80, 94.57, 88.12, 83.31, 86.24, 80.88, 77.44, 87.299, 86.757]
    np.testing.assert_allclose(half, published, rtol=0, atol=0.005)
    assert tenth[-2] == pytest.approx(23.914, abs=0.0005)
    assert tables['0']['PCKh@0.5'][-2] == pytest.approx(87.497, abs=0.0005)
    assert tables['0']['PCKh@0.1'][-2] == pytest.approx(28.413, abs=0.0005)


@pytest.fixture(scope='module')
def labels(tmp_path_factory):
    """Annotation files of 6 people, and their joints counted from 1, (6, 16, 2)."""
    folder = make_mpii_root(tmp_path_factory.mktemp('root') / 'mpii') / 'annotations'
    joints = loadmat(folder / 'mpii_gt_val.mat')['pos_gt_src'].transpose(2, 0, 1)
    return folder / 'mpii_val.json', folder / 'mpii_gt_val.mat', joints


def write_json(path, array):
    path.write_text(json.dumps(array.tolist()))


def write_json_preds(path, array):
    path.write_text(json.dumps({'preds': array.tolist()}))


def write_mat(path, array):
    savemat(path, {'preds': array})


def write_matlab(path, array):
    savemat(path, {'preds': array.transpose(2, 1, 0)})


def write_scored(path, array):
    savemat(path, {'preds': np.concatenate([array, np.ones_like(array[..., :1])], axis=2)})


def write_npz(path, array, ids=range(6)):
    """As test.py --dump does, which sees people in any order."""
    np.savez(path, id=list(ids)[::-1], preds=array[::-1])


@pytest.mark.parametrize(
    ('ending', 'write'),
    [
        ('.json', write_json),
        ('.json', write_json_preds),
        ('.mat', write_mat),
        ('.mat', write_matlab),
        ('.mat', write_scored),
        ('.npz', write_npz),
    ],
)
def test_every_kind_of_file_reads_alike(labels, tmp_path, ending, write):
    write(tmp_path / f'preds{ending}', labels[2])
    array = read_predictions(tmp_path / f'preds{ending}', num_people=6)
    np.testing.assert_array_equal(array, labels[2])


def test_base_and_offset(labels, tmp_path):
    *files, joints = labels
    write_json(tmp_path / 'one.json', joints)
    write_json(tmp_path / 'zero.json', joints - 1 + (0.5, -2))
    rows, offset = evaluate_file(tmp_path / 'one.json', 1, *files)
    assert row(rows, 'PCKh@0.5').total_weighted == pytest.approx(100)
    np.testing.assert_allclose(offset, 0, atol=1e-3)
    _, offset = evaluate_file(tmp_path / 'one.json', 0, *files)
    np.testing.assert_allclose(offset, 1, atol=1e-3)
    _, offset = evaluate_file(tmp_path / 'zero.json', 0, *files)
    np.testing.assert_allclose(offset, (0.5, -2), atol=1e-3)


@pytest.mark.parametrize('ids', [range(1, 7), [0, 1, 1, 3, 4, 5], [0.5, 1, 2, 3, 4, 5]])
def test_a_dump_without_everybody_once_is_refused(labels, tmp_path, ids):
    write_npz(tmp_path / 'p.npz', labels[2], ids)
    with pytest.raises(ACNNError, match='p.npz has not everybody once: dump a test of all'):
        read_predictions(tmp_path / 'p.npz', num_people=6)


@pytest.mark.parametrize(
    ('arrays', 'message'),
    [
        ({'preds': [1]}, "p.npz has no 'id', which says whose .*: write it with test.py --dump"),
        ({'id': [0]}, "p.npz can not be read as predictions .KeyError.* the array 'preds' of it$"),
    ],
)
def test_an_array_missing_from_a_dump_is_named(tmp_path, arrays, message):
    np.savez(tmp_path / 'p.npz', **arrays)
    with pytest.raises(ACNNError, match=message):
        read_predictions(tmp_path / 'p.npz', num_people=1)


def test_matlabs_order_is_kept_with_as_many_people_as_joints(tmp_path):
    array = np.arange(16 * 16 * 2.0).reshape(16, 16, 2)
    for write in (write_matlab, write_mat):
        write(tmp_path / 'p.mat', array)
        np.testing.assert_array_equal(read_predictions(tmp_path / 'p.mat', 16), array)


def test_nothing_in_a_dump_is_unpickled(tmp_path):
    np.savez(tmp_path / 'p.npz', id=np.array([0]), preds=np.array([Path()], dtype=object))
    with pytest.raises(ACNNError, match='p.npz can not be read .* allow_pickle=False'):
        read_predictions(tmp_path / 'p.npz', num_people=1)


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('p.txt', '', 'must end in one of .mat, .json, .npz'),
        ('p.json', '{', 'can not be read as predictions'),
        ('p.json', '{"joints": []}', "KeyError.'preds'.*: they are the array 'preds' of it"),
        ('p.json', '[[[1, 2]]]', r'shape \(1, 1, 2\): 6 people x 16 joints x 2 coordinates'),
        ('p.json', '[[1, 2], [3]]', 'can not be read as predictions'),
        ('p.mat', 'text', 'can not be read as a MATLAB'),
        ('p.pkl', '', 'must end in one of .mat, .json, .npz: test.py --dump writes .npz'),
        ('p.npz', 'text', 'can not be read as predictions'),
        ('p.json', None, 'does not exist'),
    ],
)
def test_wrong_files_are_refused_in_one_sentence(labels, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ACNNError, match=message):
        evaluate_file(tmp_path / name, 0, *labels[:2])


def test_not_finite_and_missing_labels_are_refused(labels, tmp_path):
    *files, joints = labels
    write_json(tmp_path / 'nan.json', np.where(joints == joints[0, 9, 0], np.nan, joints))
    with pytest.raises(ACNNError, match='not finite'):
        evaluate_file(tmp_path / 'nan.json', 0, *files)
    with pytest.raises(ACNNError, match='none.json does not exist: name it, or set ACNN_DATA_ROOT'):
        evaluate_file(tmp_path / 'nan.json', 0, tmp_path / 'none.json', files[1])
    truth = loadmat(files[1])
    savemat(tmp_path / 'short.mat', {'headboxes_src': truth['headboxes_src'][..., 1:]})
    with pytest.raises(ACNNError, match='check_mpii'):
        evaluate_file(tmp_path / 'nan.json', 0, files[0], tmp_path / 'short.mat')
