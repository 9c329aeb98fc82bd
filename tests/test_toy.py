"""The toy data set: MPII's layout as MMPose reads it, the same bytes for the same options."""

import json
import warnings

import acnn_mmpose  # noqa: F401  (before MMPose: it stands in for the compiled operators)
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.toy.dataset import draw_person_image, make_toy_dataset
from acnn_mmpose.toy.person import Shape, body_parts, dress, paint_parts, paint_shape, plain_paint
from acnn_mmpose.toy.posture import POSTURES, Joint, pose_body

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

NUM_TRAIN, NUM_VAL, SEED = 6, 5, 3
# MpiiPCKAccuracy leaves pelvis and thorax out.
COUNTED = [joint for joint in range(16) if joint not in (Joint.PELVIS, Joint.THORAX)]


@pytest.fixture(scope='module')
def toy_root(tmp_path_factory):
    return make_toy_dataset(tmp_path_factory.mktemp('toy') / 'set', NUM_TRAIN, NUM_VAL, SEED)


def read(root, split):
    return json.loads((root / 'annotations' / f'mpii_{split}.json').read_text())


def contents(root):
    return {p.relative_to(root): p.read_bytes() for p in root.rglob('*') if p.is_file()}


def load_with_mmpose(root, split):
    from mmpose.datasets import MpiiDataset

    options = {}
    if split == 'val':
        headbox_file = str(root / 'annotations' / 'mpii_gt_val.mat')
        options = {'test_mode': True, 'headbox_file': headbox_file}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # about where MMPose finds its own description of MPII
        return MpiiDataset(
            data_root=str(root),
            ann_file=f'annotations/mpii_{split}.json',
            data_prefix={'img': 'images/'},
            **options,
        )


@pytest.mark.parametrize(('split', 'count'), [('train', NUM_TRAIN), ('val', NUM_VAL)])
def test_annotations_have_the_keys_shapes_and_marks_of_mpii(toy_root, split, count):
    annotations = read(toy_root, split)
    assert len(annotations) == count
    for annotation in annotations:
        assert set(annotation) == {'image', 'joints', 'joints_vis', 'center', 'scale'}
        joints, visible = np.array(annotation['joints']), np.array(annotation['joints_vis'])
        image = cv2.imread(str(toy_root / 'images' / annotation['image']))
        assert joints.shape == (16, 2)
        assert set(visible) <= {0, 1}
        assert (joints[visible == 0] == -1).all()
        assert (joints[visible == 1] >= 1).all()
        assert (joints[visible == 1] <= image.shape[1::-1]).all()
        assert len(annotation['center']) == 2
        assert 0.5 <= annotation['scale'] <= 1.0


def test_evaluation_file_matches_the_annotations_and_the_proportions_of_mpii(toy_root):
    mat, annotations = loadmat(toy_root / 'annotations' / 'mpii_gt_val.mat'), read(toy_root, 'val')
    visible = np.array([annotation['joints_vis'] for annotation in annotations])
    joints = np.array([annotation['joints'] for annotation in annotations])
    scales = np.array([annotation['scale'] for annotation in annotations])
    boxes = mat['headboxes_src']

    assert mat['dataset_joints'].shape == (1, 16)
    assert mat['jnt_missing'].dtype == np.uint8
    np.testing.assert_array_equal(mat['jnt_missing'], 1 - visible.T)
    missing = visible[..., None] == 0
    np.testing.assert_allclose(
        mat['pos_gt_src'].transpose(2, 0, 1), np.where(missing, 0, joints), atol=1e-3
    )
    assert boxes.shape == (2, 2, NUM_VAL)
    np.testing.assert_allclose(
        np.linalg.norm(boxes[1] - boxes[0], axis=0), 41.6 * scales, rtol=1e-5
    )
    for annotation, box in zip(annotations, boxes.transpose(2, 0, 1)):
        joints = np.array(annotation['joints'])
        if annotation['joints_vis'][Joint.UPPER_NECK] and annotation['joints_vis'][Joint.HEAD_TOP]:
            middle = joints[[Joint.UPPER_NECK, Joint.HEAD_TOP]].mean(axis=0)
            np.testing.assert_allclose(box.mean(axis=0), middle, atol=1e-3)


def test_same_options_give_the_same_bytes(toy_root, tmp_path):
    again = make_toy_dataset(tmp_path / 'again', NUM_TRAIN, NUM_VAL, SEED)
    assert contents(again) == contents(toy_root)


def test_larger_set_begins_with_the_smaller_one(toy_root, tmp_path):
    smaller = make_toy_dataset(tmp_path / 'smaller', NUM_TRAIN - 2, NUM_VAL - 1, SEED)
    for split in ('train', 'val'):
        annotations = read(smaller, split)
        assert annotations == read(toy_root, split)[: len(annotations)]
    images = {path: data for path, data in contents(smaller).items() if path.suffix == '.jpg'}
    assert len(images) == NUM_TRAIN + NUM_VAL - 3
    assert images.items() <= contents(toy_root).items()


def test_splits_and_seeds_share_no_picture(toy_root, tmp_path):
    other = make_toy_dataset(tmp_path / 'other', NUM_TRAIN, NUM_VAL, SEED + 1)
    pictures = [path.read_bytes() for root in (toy_root, other) for path in root.rglob('*.jpg')]
    assert len(set(pictures)) == len(pictures) == 2 * (NUM_TRAIN + NUM_VAL)
    train, val = ({a['image'] for a in read(toy_root, split)} for split in ('train', 'val'))
    assert not train & val


def test_written_coordinates_count_from_one(toy_root):
    for split, name in enumerate(('train', 'val')):
        annotation = read(toy_root, name)[1]
        sample = draw_person_image(np.random.default_rng([SEED, split, 1]))
        joints = np.array(annotation['joints'])
        assert sample.visible.any()
        np.testing.assert_array_equal(annotation['joints_vis'], sample.visible)
        np.testing.assert_allclose(
            joints[sample.visible], sample.joints[sample.visible] + 1, atol=1e-3
        )
        np.testing.assert_allclose(annotation['center'], sample.center + 1, atol=1e-3)
        image = cv2.imread(str(toy_root / 'images' / annotation['image']))
        assert image.shape == sample.image.shape
        assert np.abs(image.astype(int) - sample.image).mean() < 8  # JPEG's loss only


def test_circle_is_painted_around_the_pixel_it_is_centred_on():
    image = np.zeros((40, 50, 3), np.uint8)
    circle = Shape(np.array([[30.25, 12.5]]), np.array([5.0]), plain_paint((255, 255, 255)))
    paint_shape(image, circle, edged=False)
    weights = image[..., 0] / image[..., 0].sum()
    rows, columns = np.indices(weights.shape)
    assert (weights * columns).sum() == pytest.approx(30.25, abs=0.05)
    assert (weights * rows).sum() == pytest.approx(12.5, abs=0.05)


def test_every_joint_lies_on_the_painted_person():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        body = pose_body(rng, 150.0).moved(np.array([200.0, 200.0]))
        image = np.full((400, 400, 3), 1, np.uint8)  # no paint has this colour
        paint_parts(image, body_parts(body, dress(rng)))
        painted = (image != 1).any(axis=2)
        columns, rows = np.rint(body.joints[:, :2]).astype(int).T
        assert painted[rows, columns].all()
        assert painted.mean() < 0.15


def test_front_view_shows_the_right_side_on_the_left():
    bodies = [pose_body(np.random.default_rng(seed), 150.0) for seed in range(200)]
    upright = [f for f in bodies if f.trunk[1, 1] < -0.7 and abs(f.trunk[2, 2]) > 0.5]
    assert len(upright) > 100
    for body in upright:
        from_the_front = body.trunk[2, 2] > 0
        right, left = body.joints[[Joint.R_SHOULDER, Joint.L_SHOULDER], 0]
        assert (right < left) == from_the_front
    assert 0.6 < np.mean([f.trunk[2, 2] > 0 for f in upright]) < 0.8


def test_postures_only_change_angles_that_exist():
    standing = POSTURES[0]
    for posture in POSTURES:
        assert set(posture) <= set(standing)
        assert all(low <= high for low, high in posture.values())


def test_stock_mmpose_reads_both_splits(toy_root):
    for split, count in (('train', NUM_TRAIN), ('val', NUM_VAL)):
        dataset = load_with_mmpose(toy_root, split)
        assert len(dataset) == count
        for i, annotation in enumerate(read(toy_root, split)):
            info = dataset.get_data_info(i)
            assert cv2.imread(info['img_path']) is not None
            np.testing.assert_allclose(info['bbox_scale'], 200 * annotation['scale'], rtol=1e-5)


@pytest.mark.parametrize(('error', 'expected'), [(0.0, 100.0), (0.45, 100.0), (0.55, 0.0)])
def test_stock_metric_measures_in_head_sizes(toy_root, error, expected):
    from mmpose.evaluation.metrics import MpiiPCKAccuracy

    metric, dataset = MpiiPCKAccuracy(), load_with_mmpose(toy_root, 'val')
    for i, annotation in enumerate(read(toy_root, 'val')):
        info = dataset.get_data_info(i)
        visible = info['keypoints_visible'].astype(bool)
        head_size = 0.6 * 0.208 * 200 * annotation['scale']
        predicted = info['keypoints'] - 1 + [error * head_size, 0]
        sample = {
            'gt_instances': {
                'keypoints': info['keypoints'],
                'keypoints_visible': visible[..., None],
                'head_size': info['head_size'],
            },
            'pred_instances': {'keypoints': predicted},
        }
        metric.process([], [sample])
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        scores = metric.evaluate(NUM_VAL)
    assert scores['PCK'] == pytest.approx(expected)


def test_mean_pose_is_a_poor_guess():
    samples = [draw_person_image(np.random.default_rng([0, 0, i])) for i in range(120)]
    stature = 200 * np.array([s.scale for s in samples])[:, None, None]
    centers = np.stack([s.center for s in samples])[:, None]
    poses = (np.stack([s.joints for s in samples]) - centers) / stature
    distances = np.linalg.norm(poses[60:] - poses[:60].mean(axis=0), axis=2)
    counted = np.stack([s.visible for s in samples])[60:, COUNTED]
    pckh = 100 * (distances[:, COUNTED] < 0.5 * 0.6 * 0.208)[counted].mean()
    assert pckh < 30


def test_second_call_leaves_the_set_alone(toy_root, capsys):
    before = {path: path.stat().st_mtime_ns for path in toy_root.rglob('*')}
    assert make_toy_dataset(toy_root, NUM_TRAIN, NUM_VAL, SEED) == toy_root
    assert {path: path.stat().st_mtime_ns for path in toy_root.rglob('*')} == before
    assert 'already there' in capsys.readouterr().out


def test_unfinished_set_is_finished(toy_root, tmp_path):
    root = make_toy_dataset(tmp_path / 'set', NUM_TRAIN, NUM_VAL, SEED)
    (root / 'annotations' / 'mpii_gt_val.mat').unlink()
    next((root / 'images').iterdir()).unlink()
    make_toy_dataset(root, NUM_TRAIN, NUM_VAL, SEED)
    assert contents(root) == contents(toy_root)


@pytest.mark.parametrize('change', [{'num_train': 7}, {'num_val': 6}, {'seed': 4}])
def test_set_with_other_options_is_refused_and_kept(toy_root, change):
    before = contents(toy_root)
    options = {'num_train': NUM_TRAIN, 'num_val': NUM_VAL, 'seed': SEED, **change}
    with pytest.raises(ACNNError, match='other options') as caught:
        make_toy_dataset(toy_root, **options)
    assert str(toy_root) in str(caught.value)
    assert contents(toy_root) == before


def test_folder_with_other_files_is_refused_and_kept(tmp_path):
    (tmp_path / 'thesis.txt').write_text('years of work')
    with pytest.raises(ACNNError, match='holds other files'):
        make_toy_dataset(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.txt']


def test_damaged_manifest_is_named(tmp_path):
    (tmp_path / 'toy.json').write_text('{')
    with pytest.raises(ACNNError, match=r'toy\.json can not be read as json .*name another folder'):
        make_toy_dataset(tmp_path, 1, 1)


@pytest.mark.parametrize(('name', 'value'), [('num_train', 0), ('num_val', -1), ('seed', -1)])
def test_option_out_of_range_is_named(tmp_path, name, value):
    with pytest.raises(ACNNError, match=f'{name} must .* {value}'):
        make_toy_dataset(tmp_path / 'set', **{'num_train': 1, 'num_val': 1, name: value})
    assert not (tmp_path / 'set').exists()


@pytest.mark.parametrize(('below', 'message'), [('', 'Cannot write'), ('set', 'Cannot write')])
def test_unusable_folder_is_named(tmp_path, below, message):
    (tmp_path / 'file').touch()
    with pytest.raises(ACNNError, match=message) as caught:
        make_toy_dataset(tmp_path / 'file' / below, 1, 1)
    assert str(tmp_path / 'file') in str(caught.value)
