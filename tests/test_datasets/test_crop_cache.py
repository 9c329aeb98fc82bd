"""Crops on disk: the same to the bit, and never those of something that has changed."""

from __future__ import annotations

import json
import os
import shutil
import warnings

from acnn_mmpose.datasets import LoadReadableImage, cache_crops, crop_cache, fast, read_image
from acnn_mmpose.errors import ACNNError

import cv2
import pytest
from mmengine.config import ConfigDict
from mmpose.registry import DATASETS

from .conftest import assert_same, dataset_config, samples


@pytest.fixture
def root(photographs, tmp_path):
    """A copy of the photographs."""
    return shutil.copytree(photographs, tmp_path / 'photographs')


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Note which photographs are decoded."""
    paths = []

    def read(path):
        paths.append(path)
        return read_image(path)

    for module in (fast, crop_cache):
        monkeypatch.setattr(module, 'read_image', read)
    return paths


def cached(root, folder) -> dict:
    return dataset_config(root, crop_cache=str(folder))


def test_samples_are_mmposes_to_the_bit(root, tmp_path, decoded):
    folder = tmp_path / 'crops'
    report = cache_crops(dataset_config(root), folder)
    assert report == f'8 crops in {folder}, 0.0 GB'
    assert len(decoded) == 2  # one per photograph
    decoded.clear()
    stock = samples(dataset_config(root, stock=True), epochs=12)
    with warnings.catch_warnings():
        warnings.filterwarnings('error', message='.*crops')
        assert_same(samples(cached(root, folder), epochs=12), stock)
    assert 0 < len(decoded) < 0.2 * len(stock)  # where scale and rotation need more than a crop


def test_a_second_call_decodes_nothing_and_a_killed_one_is_completed(root, tmp_path, decoded):
    folder = tmp_path / 'crops'
    cache_crops(dataset_config(root), folder)
    files = sorted(folder.iterdir())
    content = files[3].read_bytes()
    files[3].unlink()
    files[3].with_suffix('.crop.partial').write_bytes(content[:100])
    decoded.clear()
    cache_crops(dataset_config(root), folder)
    assert len(decoded) == 1
    assert sorted(folder.iterdir()) == files
    assert files[3].read_bytes() == content
    cache_crops(dataset_config(root), folder)
    assert len(decoded) == 1


@pytest.mark.parametrize('what', ['time', 'size'])
def test_a_changed_photograph_is_not_served(root, tmp_path, what):
    folder = tmp_path / 'crops'
    cache_crops(dataset_config(root), folder)
    path = root / 'images/1.jpg'
    before = path.stat()
    if what == 'size':
        cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    later = before.st_mtime_ns + (what == 'time')
    os.utime(path, ns=(before.st_atime_ns, later))
    with pytest.warns(UserWarning, match='photographs or boxes have changed'):
        ours = samples(cached(root, folder), epochs=2)
    assert_same(ours, samples(dataset_config(root, stock=True), epochs=2))
    assert '4 other crops there' in cache_crops(dataset_config(root), folder)


def test_a_changed_box_is_not_served(root, tmp_path):
    folder = tmp_path / 'crops'
    cache_crops(dataset_config(root), folder)
    path = root / 'annotations/mpii_train.json'
    people = json.loads(path.read_text())
    people[2]['center'][0] += 40
    path.write_text(json.dumps(people))
    with pytest.warns(UserWarning, match='photographs or boxes have changed'):
        ours = samples(cached(root, folder))
    assert_same(ours, samples(dataset_config(root, stock=True)))
    assert '1 other crops there' in cache_crops(dataset_config(root), folder)


def test_a_damaged_crop_is_refused(root, tmp_path):
    folder = tmp_path / 'crops'
    cache_crops(dataset_config(root), folder)
    for file, size in zip(folder.iterdir(), (0, 5, 8, 100)):
        os.truncate(file, size)
    load, damaged = LoadReadableImage(str(folder)), []
    dataset = DATASETS.build(dataset_config(root))
    for i in range(len(dataset)):
        try:
            load(dataset.get_data_info(i))['cached_crop'].file.close()
        except ACNNError as error:
            damaged.append(str(error))
    assert len(damaged) == 4
    assert all('is damaged: delete it and run tools/cache_crops.py' in text for text in damaged)


def test_unreadable_photographs_are_reported(root, tmp_path):
    (root / 'images/1.jpg').unlink()
    (root / 'images/2.jpg').write_bytes(b'no image')
    report = cache_crops(dataset_config(root), tmp_path / 'crops').splitlines()
    assert '1.jpg' in report[0]
    assert report[1] == f'image {root / "images/2.jpg"} is not an image'
    assert report[2].startswith('0 crops in')


def test_bad_folders(root, tmp_path):
    with pytest.raises(ACNNError, match=r'nowhere does not exist: make it with tools/cache_crops'):
        LoadReadableImage('nowhere')
    (tmp_path / 'file').touch()
    with pytest.raises(ACNNError, match='the folder for crops .* can not be made'):
        cache_crops(dataset_config(root), tmp_path / 'file')


def test_people_without_crop_boxes(tmp_path):
    people = [dict(img_path=__file__, bbox=[[0, 0, 9, 9]])]  # as COCO's data set gives them
    with pytest.raises(ACNNError, match=r"no crop boxes \(KeyError\('bbox_center'\)\): cache"):
        crop_cache.write_crops(people, tmp_path)


def test_a_full_disk_leaves_no_file(root, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(ACNNError, match='No space left on device.*make room, and the same'):
        cache_crops(dataset_config(root), tmp_path / 'crops')
    assert not list((tmp_path / 'crops').iterdir())


def test_everybody_in_combined_data_sets_is_cached(root, tmp_path):
    """However few of them an epoch shows, and with loading transforms that need the folder."""
    people = cached(root, tmp_path / 'crops')
    dataset = dict(
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
        datasets=[people, people],
        sample_ratio_factor=[0.3, 0.3],
        pipeline=[],
    )
    assert cache_crops(ConfigDict(dataset), tmp_path / 'crops').startswith('8 crops')
