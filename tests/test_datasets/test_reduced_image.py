"""Reduced decoding: never too small, aligned, and the mean of what it stands for."""

from __future__ import annotations

import os
import shutil

from acnn_mmpose.datasets import LoadReducedImage, TopdownCrop, UnreadableImageError
from acnn_mmpose.datasets.reduced_image import LOADERS

import cv2
import numpy as np
import pytest
from PIL import Image

from .conftest import assert_same, dataset_config, samples

# mean differences over a crop, in grey levels of 255: of waves, and to MMPose's crop, which skips
# pixels of the photograph
ALIGNED, TO_STOCK = 0.8, 6.0


@pytest.fixture
def loaded(monkeypatch) -> list[int]:
    """Note at which sizes images are decoded: 1, 2, 4 or 8 pixels per pixel and axis."""
    steps = []
    for step, loader in LOADERS.items():

        def transform(results, step=step, load=loader.transform):
            steps.append(step)
            return load(results)

        monkeypatch.setattr(loader, 'transform', transform)
    return steps


def test_labels_are_mmposes_and_images_near(photographs, loaded):
    ours = samples(dataset_config(photographs, type='LoadReducedImage'))
    stock = samples(dataset_config(photographs, stock=True))
    assert_same(ours, stock, images=False)
    assert set(loaded) == {1, 2, 4}
    for mine, other, step in zip(ours, stock, loaded):
        shrink = other['data_samples'].input_scale[0] / 256
        assert step == 1 or step <= shrink
        assert step == 8 or step * 2 > shrink
        difference = (mine['inputs'].float() - other['inputs'].float()).abs().mean()
        assert difference == 0 if step == 1 else difference < TO_STOCK


@pytest.mark.parametrize('step', [2, 4, 8])
@pytest.mark.parametrize('flip', [False, True])
def test_alignment(tmp_path, step, flip):
    """Waves without detail that could be lost, on sides that 8 does not divide.

    Half a pixel off would be 3 grey levels and more.
    """
    y, x = np.mgrid[:643, :957]
    waves = 128 + 60 * np.sin(x / 10 / step) + 60 * np.sin(y / 10 / step)
    path = str(tmp_path / 'waves.jpg')
    cv2.imwrite(path, waves[..., None].repeat(3, axis=2).astype(np.uint8))
    crop, reference = (
        crop_of(results, step, flip)
        for results in (LoadReducedImage()(dict(img_path=path)), dict(img=cv2.imread(path)))
    )
    difference = np.abs(crop - reference.astype(float))
    assert reference.astype(bool).mean() > 0.09
    assert difference[reference.astype(bool)].mean() < ALIGNED


def crop_of(results: dict, step: int, flip: bool) -> np.ndarray:
    """A crop of 256x256 px that shrinks the photograph by a little more than ``step``."""
    if flip:
        results['img'] = results['img'][:, ::-1]
    box = dict(bbox_center=np.array([[400.0, 300.0]]), bbox_scale=np.full((1, 2), 256.0 * step + 1))
    return TopdownCrop(input_size=(256, 256))({**results, **box})['img']


@pytest.mark.parametrize('orientation', [1, 3, 6])
@pytest.mark.parametrize('suffix', ['jpg', 'png'])
def test_orientation_and_other_formats_are_mmposes(tmp_path, orientation, suffix):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = str(tmp_path / f'image.{suffix}')
    image.save(path, exif=exif)
    results = LoadReducedImage()(dict(img_path=path))
    late = suffix == 'jpg' and orientation == 1
    assert ('lazy_image' in results) == late
    stock = cv2.imread(path)
    assert (
        results['img_shape'] == results['ori_shape'] == stock.shape[:2] == results['img'].shape[:2]
    )
    assert late or (results['img'] == stock).all()


def test_arrays_are_mmposes():
    image = np.zeros((4, 5, 3), np.uint8)
    assert LoadReducedImage()(dict(img=image))['img'] is image


def test_a_header_that_lies(photographs):
    path = str(photographs / 'images/1.jpg')
    late = LoadReducedImage()(dict(img_path=path))['lazy_image']
    with pytest.raises(UnreadableImageError, match='not the 957x640 px that its header says'):
        late._replace(shape=(640, 957)).load(None, 2.5)


@pytest.mark.parametrize('kept', [0, 5000])
def test_unreadable_photographs_are_passed_over(photographs, tmp_path, kept):
    """Whether the header or only the rest is missing, as when all is loaded at once."""
    root = shutil.copytree(photographs, tmp_path / 'photographs')
    os.truncate(root / 'images/1.jpg', kept)
    config = dataset_config(root, type='LoadReducedImage')
    used = {sample['data_samples'].img_path for sample in samples(config, epochs=1)}
    assert used == {str(root / 'images/2.jpg')}


@pytest.mark.parametrize('step', [2, 4])
def test_real_photographs(shared_data, step):
    """Nearer to the mean of the pixels than MMPose's crop is, and near to MMPose's."""
    rng = np.random.default_rng(0)
    distances = []
    for path in sorted((shared_data / 'mpii_samples').glob('*.jpg')):
        full = cv2.imread(str(path))
        height, width = full.shape[:2]
        box = dict(
            bbox_center=rng.uniform(0.4, 0.6, (1, 2)) * (width, height),
            bbox_scale=np.full((1, 2), 256 * step * 1.1),
            bbox_rotation=rng.uniform(-30, 30, 1),
        )
        crop = TopdownCrop(input_size=(256, 256))
        stock = crop(dict(img=full, **box))['img'].astype(int)
        mine = crop({**LoadReducedImage()(dict(img_path=str(path))), **box})['img'].astype(int)
        fine = TopdownCrop(input_size=(2048, 2048))(dict(img=full, **box))['img']
        mean = cv2.resize(fine, (256, 256), interpolation=cv2.INTER_AREA)
        distances.append(
            [np.abs(a - b).mean() for a, b in ((mine, stock), (mine, mean), (stock, mean))]
        )
    to_stock, to_mean, stock_to_mean = np.transpose(distances)
    assert to_stock.max() < TO_STOCK
    assert to_mean.mean() < stock_to_mean.mean()
