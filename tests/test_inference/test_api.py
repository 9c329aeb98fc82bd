"""MMPose's inference API on a trained checkpoint."""

from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.inference import describe_people

import cv2
import numpy as np
import pytest
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model


def test_inference_topdown_on_file_array_and_several_boxes(config, trained, images):
    model = init_model(
        config,
        str(trained['joint']),
        device='cpu',
        cfg_options=dict(model=dict(test_cfg=dict(output_heatmaps=True))),
    )
    array = cv2.imread(str(images[0]))
    height, width = array.shape[:2]
    (from_file,) = inference_topdown(model, str(images[0]))
    (from_array,) = inference_topdown(model, array)
    np.testing.assert_array_equal(
        from_file.pred_instances.keypoints, from_array.pred_instances.keypoints
    )
    boxes = [[0, 0, width, height], [10, 10, width - 10, height - 10], [0, 0, 50, 90]]
    results = inference_topdown(model, str(images[0]), boxes)
    assert len(results) == 3
    for result in results:
        assert result.pred_instances.keypoints.shape == (1, 16, 2)
        masks = result.pred_instances.attention_masks
        assert masks.shape == (1, 1, 32, 32)  # S - 1 masks
        assert set(np.unique(masks)) <= {0.0, 1.0}


def test_inferencer_on_file_folder_and_video(config, trained, images, toy_root, tmp_path):
    inferencer = MMPoseInferencer(
        pose2d=config, pose2d_weights=str(trained['joint']), det_model='whole_image', device='cpu'
    )
    folder = tmp_path / 'folder'
    folder.mkdir()
    for image in images:
        (folder / image.name).symlink_to(image)
    video = tmp_path / 'video.avi'
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*'MJPG'), 5, (128, 128))
    for image in images:
        writer.write(cv2.resize(cv2.imread(str(image)), (128, 128)))
    writer.release()
    for source, count in ((images[0], 1), (folder, 3), (video, 3)):
        results = list(inferencer(str(source), out_dir=str(tmp_path / 'out')))
        assert len(results) == count
        for result in results:
            (instance,) = result['predictions'][0]
            assert np.array(instance['keypoints']).shape == (16, 2)
        # our way: pictures with attention, and json with coverage
        shown = tmp_path / f'shown_{source.stem}'
        for result in inferencer(str(source), vis_out_dir=str(shown), return_datasamples=True):
            (person,) = describe_people(result['predictions'][0].pred_instances)
            assert 0 <= person['coverage'][0] <= 1
            assert 'masks' not in person
    assert len(list((tmp_path / 'out/visualizations').iterdir())) >= 4
    picture = cv2.imread(str(tmp_path / f'shown_{folder.name}' / images[0].name))
    # image, mask and pose in a row
    assert picture.shape[1] > 2 * cv2.imread(str(images[0])).shape[1]
    assert (tmp_path / f'shown_{video.stem}' / video.name).stat().st_size > 1000


@pytest.mark.parametrize(
    ('box', 'problem'),
    [
        ([5, 5, 5, 5], 'has no area'),
        ([9000, 9000, 9100, 9100], 'lies outside the image'),
        ([np.nan, 0, 9, 9], 'is not made of finite numbers'),
    ],
)
def test_a_bad_box_is_named(config, trained, images, box, problem):
    model = init_model(config, str(trained['joint']), device='cpu')
    with pytest.raises(ACNNError, match=rf'box \[.*\] of .*{images[0].name} {problem}'):
        inference_topdown(model, str(images[0]), np.array([box]))


def test_a_bad_image_is_named(config, trained, tmp_path):
    model = init_model(config, str(trained['joint']), device='cpu')
    (tmp_path / 'x.jpg').write_bytes(b'no image')
    with pytest.raises(ACNNError, match=r'x\.jpg is not an image'):
        inference_topdown(model, str(tmp_path / 'x.jpg'), [[0, 0, 9, 9]])
    with pytest.raises(ACNNError, match='is no image: give height x width x 3'):
        inference_topdown(model, np.zeros((9, 9, 3)))
    (result,) = inference_topdown(model, np.zeros((9, 9), np.uint8))
    assert result.pred_instances.keypoints.shape == (1, 16, 2)


@pytest.mark.parametrize(
    ('other', 'culprit'),
    [
        (dict(num_stages=3), r'missing: backbone\.thetas\.2'),
        (dict(num_stages=1), r'unexpected: backbone\.thetas\.1'),
        (dict(channels=32), r'shape: .* instead of'),
    ],
)
def test_init_model_refuses_the_weights_of_another_network(config, trained, other, culprit):
    """MMEngine would load what fits and warn."""
    options = {f'model.backbone.{key}': value for key, value in other.items()}
    options['model.head.num_stages'] = other.get('num_stages', 2)
    options['model.head.in_channels'] = other.get('channels', 16)
    options['model.phase'] = 'pose'
    with pytest.raises(ACNNError, match=f'{culprit}.*give a checkpoint with the same num_stages'):
        init_model(config, str(trained['joint']), device='cpu', cfg_options=options)
