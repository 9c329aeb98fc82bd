"""Images, folders and videos to pictures and json."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.inference import (
    DetectorBoxes,
    FileBoxes,
    Frame,
    describe_people,
    open_source,
    run_inference,
)
from acnn_mmpose.inference.writers import open_writer
from acnn_mmpose.visualization import AttentionVisualizer

import cv2
import numpy as np
import pytest
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from mmpose.apis import MMPoseInferencer, init_model
from PIL import Image
from pycocotools import mask as coco_mask


@pytest.fixture(scope='module')
def model(config, trained):
    model = init_model(config, str(trained['joint']), device='cpu')
    branch = model.backbone.mask_branches[0]
    branch.logit.weight.data.normal_()
    branch.logit.bias.data.zero_()
    return model


@pytest.fixture
def folder(images, tmp_path):
    folder = tmp_path / 'folder'
    folder.mkdir()
    for image in images:
        shutil.copy(image, folder)
    (folder / 'broken.jpg').write_bytes(b'no image')
    (folder / 'notes.txt').write_text('no image either')
    return folder


@pytest.fixture
def video(images, tmp_path):
    path = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5, (129, 127))
    for image in images:
        writer.write(cv2.resize(cv2.imread(str(image)), (129, 127)))
    writer.release()
    return path


def predictions(out) -> dict:
    return json.loads((out / 'predictions.json').read_text())


@pytest.mark.parametrize('mode', ['attention', 'heatmap', 'pose', 'story'])
def test_a_folder_with_an_unreadable_file(model, folder, images, tmp_path, mode):
    out = tmp_path / 'out'
    done = run_inference(model, open_source(str(folder)), AttentionVisualizer(mode=mode), str(out))
    assert done == (3, 3, {'broken.jpg': f'image {folder}/broken.jpg is not an image'})
    content = predictions(out)
    assert content['unreadable'] == ['broken.jpg']
    assert [image['image'] for image in content['images']] == [image.name for image in images]
    for image in content['images']:
        (person,) = image['people']
        assert np.array(person['keypoints']).shape == (16, 2)
        assert len(person['coverage']) == 1
        assert cv2.imread(str(out / image['image'])) is not None


def test_a_video_becomes_a_video(model, video, tmp_path):
    out = tmp_path / 'out'
    boxes = tmp_path / 'boxes.json'
    boxes.write_text(json.dumps({'film.avi': [[0, 0, 60, 120], [60, 0, 120, 120]]}))
    done = run_inference(
        model,
        open_source(str(video)),
        AttentionVisualizer(),
        str(out),
        FileBoxes(str(boxes)),
    )
    assert done == (3, 6, {})
    assert [image['frame'] for image in predictions(out)['images']] == [0, 1, 2]
    frames = list(open_source(str(out / 'film.mp4')).frames)
    assert len(frames) == 3
    assert frames[0].image.shape[1] > 3 * 129


def test_an_image_without_people_stays_as_it_is(model, images, tmp_path):
    (tmp_path / 'boxes.json').write_text('{}')
    out = tmp_path / 'out'
    source = open_source(str(images[0]))
    find = FileBoxes(str(tmp_path / 'boxes.json'))
    assert run_inference(model, source, AttentionVisualizer(), str(out), find) == (1, 0, {})
    assert cv2.imread(str(out / images[0].name)).shape == cv2.imread(str(images[0])).shape


def test_masks_in_json_can_be_decoded(model, images, tmp_path):
    """COCO's own tools read them, and the numbers beside them place them."""
    source = open_source(str(images[0]))
    run_inference(model, source, AttentionVisualizer(), str(tmp_path), with_masks=True)
    (person,) = predictions(tmp_path)['images'][0]['people']
    (encoded,) = person['masks']
    mask = coco_mask.decode(coco_mask.frPyObjects(encoded, *encoded['size']))
    assert mask.shape == (32, 32)
    assert mask.mean() == pytest.approx(person['coverage'][0])
    assert person['crop']['scale'][0] >= person['bbox'][2] - person['bbox'][0]


@pytest.mark.parametrize('first', [0, 1])
def test_run_lengths(first):
    mask = np.zeros((1, 1, 3, 5), np.float32) + first
    mask[..., 1, 2:] = 1 - first
    people = InstanceData(
        bboxes=np.zeros((1, 4)),
        keypoints=np.zeros((1, 16, 2)),
        keypoint_scores=np.zeros((1, 16)),
        attention_masks=mask,
        attention_coverage=mask.mean(axis=(2, 3)),
        input_center=np.zeros((1, 2)),
        input_scale=np.ones((1, 2)),
    )
    (encoded,) = describe_people(people, with_masks=True)[0]['masks']
    decoded = coco_mask.decode(coco_mask.frPyObjects(encoded, 3, 5))
    np.testing.assert_array_equal(decoded, mask[0, 0])


def test_detector_boxes_are_those_of_people(monkeypatch, tmp_path):
    """With a stand-in for MMDetection's inferencer."""
    found = DetDataSample(
        pred_instances=InstanceData(
            bboxes=np.float32(
                [
                    *([0, 0, 9, 9], [1, 0, 9, 9], [20, 20, 30, 40], [50, 5, 60, 60]),
                    *([5, 62, 20, 90], [5, 5, np.inf, 9]),  # below the image, and no box
                ]
            ),
            scores=np.float32([0.9, 0.8, 0.7, 0.1, 0.9, 0.9]),
            labels=np.array([0, 0, 2, 0, 0, 0]),
        )
    )
    found.cpu = found.numpy = lambda: found
    monkeypatch.setattr(
        'mmdet.apis.DetInferencer', lambda *_, **__: lambda *_, **__: {'predictions': [found]}
    )
    for name in ('det.py', 'det.pth'):
        (tmp_path / name).touch()
    detector = DetectorBoxes(str(tmp_path / 'det.py'), str(tmp_path / 'det.pth'), 'cpu')
    frame = Frame('x', None, np.zeros((60, 60, 3), np.uint8))
    np.testing.assert_array_equal(detector(frame), [[0, 0, 9, 9]])
    found.pred_instances = found.pred_instances[:0]
    assert detector(frame).shape == (0, 4)
    with pytest.raises(ACNNError, match='detector checkpoint nowhere.pth does not exist'):
        DetectorBoxes(str(tmp_path / 'det.py'), 'nowhere.pth', 'cpu')
    monkeypatch.setattr('mmdet.apis.DetInferencer', {}.__getitem__)  # takes no such arguments
    with pytest.raises(ACNNError, match=r'det.pth make no detector \(TypeError'):
        DetectorBoxes(str(tmp_path / 'det.py'), str(tmp_path / 'det.pth'), 'cpu')
    monkeypatch.setitem(sys.modules, 'mmdet.apis', None)
    with pytest.raises(ACNNError, match=r'^a detector needs mmdet .*: pip install mmdet$'):
        DetectorBoxes(str(tmp_path / 'det.py'), str(tmp_path / 'det.pth'), 'cpu')


def test_a_webcam_is_opened_by_its_index(monkeypatch):
    opened = []

    def capture(where):
        opened.append(where)
        return SimpleNamespace(read=lambda: (False, None))

    monkeypatch.setattr(cv2, 'VideoCapture', capture)
    with pytest.raises(ACNNError, match='webcam0 has no frame that can be read: connect it, or'):
        open_source('0')
    assert opened == [0]


def test_an_interrupt_keeps_what_was_done(model, images, tmp_path):
    def frames():
        yield Frame('a.jpg', None, cv2.imread(str(images[0])))
        raise KeyboardInterrupt

    source = replace(open_source(str(images[0])), frames=frames())
    assert run_inference(model, source, AttentionVisualizer(), str(tmp_path)).images == 1
    assert len(predictions(tmp_path)['images']) == 1


def test_bad_sources_and_boxes_are_refused(model, tmp_path):
    with pytest.raises(ACNNError, match='nowhere does not exist'):
        open_source('nowhere')
    with pytest.raises(ACNNError, match='the source is empty: give an image'):
        open_source('')
    with pytest.raises(ACNNError, match='holds no image files'):
        open_source(str(tmp_path))
    broken = tmp_path / 'x.jpg'
    broken.write_bytes(b'')
    with pytest.raises(ACNNError, match=r'no image could be read: .*x\.jpg is empty'):
        run_inference(model, open_source(str(broken)), AttentionVisualizer(), str(tmp_path / 'o'))
    for content in ('[1]', '{"a": [[1, 2]]}', 'nonsense'):
        (tmp_path / 'boxes.json').write_text(content)
        with pytest.raises(ACNNError, match='must hold'):
            FileBoxes(str(tmp_path / 'boxes.json'))
    with pytest.raises(ACNNError, match='nowhere can not be read as json .*: it must hold'):
        FileBoxes('nowhere')


def test_an_output_folder_that_is_a_file_is_named(tmp_path, toy_root):
    (tmp_path / 'file').touch()
    source = open_source(str(toy_root / 'images'))
    with pytest.raises(ACNNError, match=r'file can not be made .*--out-dir'):
        open_writer(source, str(tmp_path / 'file'))


@pytest.mark.parametrize(
    ('name', 'shape', 'dtype'),
    [
        ('grey.png', (60, 40), np.uint8),
        ('rgba.png', (60, 40, 4), np.uint8),
        ('16bit.png', (60, 40, 3), np.uint16),
        ('pixel.png', (1, 1, 3), np.uint8),
        ('wide.jpg', (10, 20_000, 3), np.uint8),
        ('photo.jfif', (60, 40, 3), np.uint8),
    ],
)
def test_images_of_every_kind_are_predicted(model, tmp_path, name, shape, dtype):
    content = cv2.imencode('.jpg' if name.endswith('jfif') else name[-4:], np.ones(shape, dtype))[1]
    (tmp_path / name).write_bytes(content.tobytes())
    out = tmp_path / 'out'
    source = open_source(str(tmp_path / name))
    assert run_inference(model, source, AttentionVisualizer(), str(out)).people == 1
    (picture,) = (path for path in out.iterdir() if path.suffix != '.json')
    assert cv2.imread(str(picture)) is not None
    (person,) = predictions(out)['images'][0]['people']
    assert person['bbox'] == [0, 0, shape[1], shape[0]]
    assert np.isfinite(person['keypoints']).all()


def test_a_huge_image_is_predicted_in_its_own_pixels_and_drawn_smaller(
    model, images, tmp_path, monkeypatch
):
    arguments = open_source(str(images[0])), AttentionVisualizer(mode='pose')
    run_inference(model, *arguments, str(tmp_path / 'whole'))
    shrink = run_inference.__globals__['shrink_to_draw']
    monkeypatch.setitem(
        run_inference.__globals__, 'shrink_to_draw', lambda *a: shrink(*a, max_pixels=2_500)
    )
    arguments = open_source(str(images[0])), AttentionVisualizer(mode='pose')
    run_inference(model, *arguments, str(tmp_path / 'small'))
    assert predictions(tmp_path / 'small') == predictions(tmp_path / 'whole')
    picture = cv2.imread(str(tmp_path / 'small' / images[0].name))
    assert picture.shape[0] * picture.shape[1] <= 2_500


def test_orientation_is_the_same_for_infer_and_mmposes_inferencer(
    model, config, trained, images, tmp_path
):
    exif = Image.Exif()
    exif[0x112] = 6
    path = tmp_path / 'turned.jpg'
    with Image.open(images[0]) as image:
        image.crop((0, 0, 100, 60)).save(path, exif=exif)
    run_inference(model, open_source(str(path)), AttentionVisualizer(), str(tmp_path / 'out'))
    (person,) = predictions(tmp_path / 'out')['images'][0]['people']
    assert person['bbox'] == [0, 0, 60, 100]
    inferencer = MMPoseInferencer(
        pose2d=config, pose2d_weights=str(trained['joint']), det_model='whole_image', device='cpu'
    )
    (result,) = inferencer(str(path))
    assert list(result['predictions'][0][0]['bbox'][0]) == person['bbox']


def test_a_cut_off_video_gives_what_it_has_and_says_so(model, images, tmp_path):
    path = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5, (320, 240))
    for _ in range(12):
        writer.write(cv2.resize(cv2.imread(str(images[0])), (320, 240)))
    writer.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    out = tmp_path / 'out'
    done = run_inference(model, open_source(str(path)), AttentionVisualizer(mode='pose'), str(out))
    assert 0 < done.images < 12
    assert done.unreadable == {
        'film.avi': f'film.avi announces 12 frames, but only {done.images} can be read'
    }


@pytest.mark.parametrize('where', ['', '0.jpg', 'links', 'links/0.jpg'])
def test_pictures_never_replace_the_images(tmp_path, where):
    (tmp_path / '0.jpg').touch()
    (tmp_path / 'links').mkdir()
    (tmp_path / 'links/0.jpg').symlink_to(tmp_path / '0.jpg')
    source = open_source(str(tmp_path / where))
    with pytest.raises(ACNNError, match=r'holds the input 0\.jpg, which would be over.*--out-dir'):
        open_writer(source, str(tmp_path / 'x' / '..'))


@pytest.mark.parametrize('kind', ['image', 'video'])
def test_a_link_in_the_output_folder_is_not_written_through(model, folder, video, tmp_path, kind):
    (folder / 'broken.jpg').unlink()
    path = next(folder.glob('*.jpg')) if kind == 'image' else video
    before = path.read_bytes()
    written = tmp_path / 'out' / (path.name if kind == 'image' else 'film.mp4')
    written.parent.mkdir()
    written.symlink_to(path)
    run_inference(model, open_source(str(path)), AttentionVisualizer(), str(tmp_path / 'out'))
    assert path.read_bytes() == before
    assert written.stat().st_size > 0
    assert not written.is_symlink()


def test_file_names_need_not_be_utf_8(model, images, tmp_path):
    """OpenCV ends the process where it is given such a name."""
    folder = tmp_path / os.fsdecode(b'\xe9t\xe9')
    folder.mkdir()
    shutil.copy(images[0], folder / os.fsdecode(b'caf\xe9.jpg'))
    shutil.copy(images[1], folder / 'tea.jpg')
    out = tmp_path / os.fsdecode(b'\xe9crit')
    assert (
        run_inference(model, open_source(str(folder)), AttentionVisualizer(), str(out)).images == 2
    )
    assert len(list(out.glob('*.jpg'))) == 2
    assert predictions(out)['images'][0]['image'] == os.fsdecode(b'caf\xe9.jpg')


def test_a_video_with_a_path_that_is_not_utf_8_is_refused(video, tmp_path):
    path = video.rename(tmp_path / os.fsdecode(b'caf\xe9.avi'))
    with pytest.raises(ACNNError, match='a video whose path OpenCV can not take: rename it'):
        open_source(str(path))
    video = path.rename(video)
    with pytest.raises(ACNNError, match='OpenCV can not take: choose another --out-dir'):
        open_writer(open_source(str(video)), str(tmp_path / os.fsdecode(b'caf\xe9')))


def test_a_pipe_is_named(model, folder, tmp_path):
    os.mkfifo(folder / 'pipe.jpg')
    source = open_source(str(folder))
    done = run_inference(model, source, AttentionVisualizer(), str(tmp_path / 'out'))
    assert list(done.unreadable) == ['broken.jpg', 'pipe.jpg']
    source = open_source(str(folder / 'pipe.jpg'))
    with pytest.raises(ACNNError, match=r'pipe\.jpg is a folder, a pipe or a device'):
        run_inference(model, source, AttentionVisualizer(), str(tmp_path / 'out'))


def test_boxes_without_an_image_are_named(folder, tmp_path):
    names = ['000000001.jpg', 'typo.jpg', 'folder/000000001.jpg']
    (tmp_path / 'boxes.json').write_text(json.dumps({name: [[0, 0, 9, 9]] for name in names}))
    find = FileBoxes(str(tmp_path / 'boxes.json'))
    assert find.missing_images(open_source(str(folder))) == sorted(names[1:])
