from __future__ import annotations

import json
import time

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.mpii import convert_mpii
from acnn_mmpose.mpii.convert import find_person, load_val_split
from acnn_mmpose.mpii.release import read_release

import numpy as np
import pytest
from mmpose.datasets.datasets import MpiiDataset
from scipy.io import loadmat, savemat

from tests.test_mpii.official_release import EMPTY, image, points, rect, save_release, structs

ALL_JOINTS = {j: (10.0 + j, 20.0 + 2 * j) for j in range(16)}


def read(folder, name):
    return json.loads((folder / name).read_text())


def official_validation(path, entries, ground_truth, rng):
    """Write an official-layout file of MPII's validation people, images and points shuffled."""
    joints = ground_truth['pos_gt_src'].transpose(2, 0, 1)
    boxes = ground_truth['headboxes_src'].transpose(2, 0, 1)
    rects: dict[str, list] = {}
    for entry, position, box in zip(entries, joints, boxes):
        labelled = [j for j in rng.permutation(16) if entry['joints_vis'][j]]
        person = rect(
            {j: position[j] for j in labelled}, entry['center'], entry['scale'], box.ravel()
        )
        rects.setdefault(entry['image'], []).insert(0, person)
    names = list(rects)
    rng.shuffle(names)
    save_release(path, [image(name, rects[name]) for name in names], [1] * len(names))


def test_round_trip_of_the_validation_set(shared_data, tmp_path):
    source = shared_data / 'mpii_val'
    entries = json.loads((source / 'mpii_val.json').read_text())
    truth = loadmat(source / 'mpii_gt_val.mat')
    official_validation(tmp_path / 'mpii.mat', entries, truth, np.random.default_rng(0))
    convert_mpii(tmp_path / 'mpii.mat', tmp_path)
    assert read(tmp_path, 'mpii_val.json') == entries
    converted = loadmat(tmp_path / 'mpii_gt_val.mat')
    for name in ('jnt_missing', 'pos_gt_src', 'headboxes_src'):
        assert converted[name].dtype == truth[name].dtype
        np.testing.assert_array_equal(converted[name], truth[name])
    assert converted['dataset_joints'].tolist() == truth['dataset_joints'].tolist()
    assert len(read(tmp_path, 'mpii_trainval.json')) == 2958
    assert read(tmp_path, 'mpii_train.json') == []


def test_split_has_each_person_once():
    split = load_val_split()
    assert len(split) == len(set(split)) == 2958
    assert len({person.image for person in split}) == 2729


def test_find_person_takes_the_nearest_within_a_pixel():
    person = load_val_split()[0]
    center = np.array([person.x, person.y])
    centers = [np.array([np.nan, np.nan]), center + 0.6, center + 0.2, center + 30]
    assert find_person(person, centers) == 2
    assert find_person(person, centers[:1] + centers[3:]) is None
    assert find_person(person, []) is None


@pytest.fixture
def ragged(tmp_path):
    """Every irregularity of the official file, one image each; images 100 and 101 are test."""

    def without(fields, *names):
        return {name: value for name, value in fields.items() if name not in names}

    def cell(*structs):  # a struct array's elements have the same fields, a cell's need not
        array = np.empty(len(structs), dtype=object)
        array[:] = structs
        return array

    marks = ['1', '0', EMPTY, 0, np.uint8(1), *['1'] * 11]
    marked = [
        {'x': x, 'y': y, 'id': j, 'is_visible': mark}
        for (j, (x, y)), mark in zip(reversed(ALL_JOINTS.items()), marks)
    ]
    odd_points = [
        {'x': 1.0, 'y': 2.0, 'id': 3},
        {'x': 9.0, 'y': 9.0, 'id': 3},
        {'x': 1.0, 'y': 2.0, 'id': 16},
        {'x': EMPTY, 'y': 2.0, 'id': 4},
        {'x': np.nan, 'y': 2.0, 'id': 5},
    ]
    good = rect(ALL_JOINTS)
    images = [
        image('000000001.jpg', [good]),
        image('000000002.jpg', []),
        image('000000003.jpg', [good | {'scale': EMPTY}, good | {'objpos': EMPTY}]),
        image('000000004.jpg', []) | {'annorect': cell(without(good, 'scale', 'objpos'), good)},
        image('000000005.jpg', [without(good, 'annopoints'), without(good, 'annopoints')]),
        image('000000006.jpg', [good | {'annopoints': EMPTY}]),
        image('000000007.jpg', [good | {'annopoints': structs([{'point': structs(marked)}])}]),
        image('000000008.jpg', [good | {'annopoints': structs([{'point': structs(odd_points)}])}]),
        image('000000009.jpg', []) | {'annorect': cell(good, without(good, 'x1'))},
        image('000000100.jpg', [rect(None, (5, 6)), rect(None, (7, 8)), rect(None, (9, 1))]),
        image('000000101.jpg', [rect(None, (3, 4))]),
    ]
    single = [[1]] * 9 + [[3, 1], []]
    save_release(tmp_path / 'mpii.mat', images, [1] * 9 + [0, 0], single)
    return tmp_path / 'mpii.mat'


def test_ragged_file(ragged, tmp_path):
    report = convert_mpii(ragged, tmp_path / 'out')
    train = read(tmp_path / 'out', 'mpii_train.json')
    numbers = [int(entry['image'][:9]) for entry in train]
    assert numbers == [1, 4, 7, 8, 9, 9]
    assert train == read(tmp_path / 'out', 'mpii_trainval.json')
    assert train[2]['joints'] == [[float(x), float(y)] for x, y in ALL_JOINTS.values()]
    assert train[2]['joints_vis'] == [1] * 16  # labelled, though some are occluded
    assert train[3]['joints'] == [[1.0, 2.0] if j == 3 else [-1.0, -1.0] for j in range(16)]
    assert train[3]['joints_vis'] == [int(j == 3) for j in range(16)]
    for line in (
        '4 points left out: no coordinates, or no id of their own from 0 to 15',
        '6 training people left out: no points, scale, position or image name that can be used',
        '2,958 people of the validation split NOT FOUND: scores are not comparable',
        '2 test people left out: not in single_person, which the benchmark scores',
    ):
        assert line in report.splitlines()
    assert '0 ' not in {line[:2] for line in report.splitlines()}


def test_test_set_keeps_the_official_order(ragged, tmp_path):
    convert_mpii(ragged, tmp_path / 'out')
    place = {'image': '000000100.jpg', 'scale': 2.0, 'image_index': 1}
    assert read(tmp_path / 'out', 'mpii_test.json') == [
        {**place, 'center': [5.0, 6.0], 'rect_index': 1},
        {**place, 'center': [9.0, 1.0], 'rect_index': 3},
    ]
    annolist = loadmat(tmp_path / 'out' / 'mpii_test_annolist.mat')['annolist']
    assert [record['image'][0, 0]['name'][0] for record in annolist[0]] == [
        '000000100.jpg',
        '000000101.jpg',
    ]
    assert annolist[0, 0]['annorect'].shape == (1, 3)
    assert annolist[0, 0]['annorect'][0, 2]['objpos'][0, 0]['x'] == 9


def test_others_on_validation_images_train_only_in_trainval(tmp_path):
    person = load_val_split()[0]
    both = [rect(ALL_JOINTS, (person.x, person.y)), rect(ALL_JOINTS, (1, 2))]
    save_release(tmp_path / 'mpii.mat', [image(person.image, both)], [1])
    report = convert_mpii(tmp_path / 'mpii.mat', tmp_path)
    sizes = {s: len(read(tmp_path, f'mpii_{s}.json')) for s in ('train', 'val', 'trainval')}
    assert sizes == {'train': 0, 'val': 1, 'trainval': 2}
    assert '1 people not in the validation split but on its images' in report


def test_validation_person_without_head_box_is_left_out(tmp_path):
    person = load_val_split()[0]
    fields = rect(ALL_JOINTS, (person.x, person.y)) | {'x2': EMPTY}
    save_release(tmp_path / 'mpii.mat', [image(person.image, [fields])], [1])
    report = convert_mpii(tmp_path / 'mpii.mat', tmp_path)
    assert read(tmp_path, 'mpii_val.json') == []
    assert loadmat(tmp_path / 'mpii_gt_val.mat')['headboxes_src'].size == 0
    assert '1 people of the validation split left out: no head box' in report.splitlines()


def test_a_cell_of_images_reads_like_a_struct_array(tmp_path):
    images = [image('000000001.jpg', [rect(ALL_JOINTS)]), image('000000002.jpg', [rect(None)])]
    singles = np.empty(2, dtype=object)
    singles[:] = [np.array([[1]])] * 2
    release = {'annolist': images, 'img_train': [1, 0], 'single_person': singles}
    savemat(tmp_path / 'cell.mat', {'RELEASE': release})
    images, test_annolist = read_release(tmp_path / 'cell.mat')
    people = [person for image in images for person in image.people]
    assert [person.image for person in people] == ['000000001.jpg', '000000002.jpg']
    np.testing.assert_array_equal(people[0].joints, list(ALL_JOINTS.values()))
    assert test_annolist.shape == (1, 1)


def test_wrong_files_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(ACNNError, match='does not exist'):
        convert_mpii(tmp_path / 'none.mat', tmp_path)
    (tmp_path / 'text.mat').write_text('not a mat file ' * 20)
    with pytest.raises(ACNNError, match='can not be read as a MATLAB'):
        convert_mpii(tmp_path / 'text.mat', tmp_path)
    savemat(tmp_path / 'other.mat', {'preds': 1})
    with pytest.raises(ACNNError, match="has no variable 'RELEASE'"):
        convert_mpii(tmp_path / 'other.mat', tmp_path)
    savemat(tmp_path / 'partial.mat', {'RELEASE': {'annolist': 1, 'img_train': 1}})
    with pytest.raises(ACNNError, match=r'has no RELEASE\.single_person'):
        convert_mpii(tmp_path / 'partial.mat', tmp_path)
    save_release(tmp_path / 'short.mat', [image('1.jpg', [rect(ALL_JOINTS)])], [1, 0])
    with pytest.raises(ACNNError, match='must be equal'):
        convert_mpii(tmp_path / 'short.mat', tmp_path)


def test_a_fiftieth_of_full_scale_takes_seconds_and_loads(tmp_path):
    """MPII has 25,000 images, for which two minutes are allowed."""
    person = rect(ALL_JOINTS)
    images = [image(f'{i + 100000000}.jpg', [person, person]) for i in range(500)]
    save_release(tmp_path / 'mpii.mat', images, [1] * 400 + [0] * 100)
    start = time.process_time()
    convert_mpii(tmp_path / 'mpii.mat', tmp_path)
    assert time.process_time() - start < 120 / 50 * 2  # twice, for a busy machine
    dataset = MpiiDataset(ann_file=str(tmp_path / 'mpii_train.json'))
    assert len(dataset) == 800
    np.testing.assert_array_equal(dataset[0]['keypoints'][0], list(ALL_JOINTS.values()))


def test_builder_matches_the_official_layout(tmp_path):
    """One point of one person, reached as MATLAB code would reach it."""
    save_release(tmp_path / 'm.mat', [image('1.jpg', [rect({7: (3, 4)})])], [1])
    release = loadmat(tmp_path / 'm.mat', squeeze_me=True, struct_as_record=False)['RELEASE']
    assert release.annolist.image.name == '1.jpg'
    assert release.annolist.annorect.annopoints.point.id == 7
    assert points({7: (3, 4)})['point'][0, 0]['y'][0, 0] == 4
