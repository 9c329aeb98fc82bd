"""Every mode draws, and says what it misses."""

from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.visualization import MODES, AttentionVisualizer, CropBox
from acnn_mmpose.visualization.board import WIDTH, Tile, compose, fit
from acnn_mmpose.visualization.paint import outline_crops

import cv2
import numpy as np
import pytest
from mmengine.structures import PixelData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

META = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/mpii.py'))


@pytest.fixture
def sample(make_person):
    sample = PoseDataSample(pred_instances=make_person((64, 64), (100, 100)))
    sample.pred_fields = PixelData(heatmaps=np.random.rand(16, 128, 128).astype(np.float32))
    return sample


@pytest.fixture
def image():
    return np.random.randint(0, 256, (128, 128, 3), dtype=np.uint8)


def build(mode: str) -> AttentionVisualizer:
    visualizer = AttentionVisualizer(mode=mode)
    visualizer.set_dataset_meta(META)
    return visualizer


@pytest.mark.parametrize('mode', MODES)
def test_every_mode_writes_what_it_returns(mode, image, sample, tmp_path):
    before = image.copy()
    picture = build(mode).add_datasample(
        'x', image, sample, draw_gt=False, out_file=str(tmp_path / 'x.png')
    )
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'x.png'))[..., ::-1], picture)
    np.testing.assert_array_equal(image, before)
    assert picture.shape[1] <= WIDTH


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('draw_pred', [True, False])
def test_labels_without_prediction_are_drawn_as_mmpose_does(mode, draw_pred, image, sample):
    plain = PoseLocalVisualizer()
    plain.set_dataset_meta(META)
    labels = PoseDataSample(gt_instances=sample.pred_instances)
    wanted = plain.add_datasample('x', image, labels, draw_pred=draw_pred)
    if not draw_pred:
        labels.pred_instances = sample.pred_instances
    ours = build(mode).add_datasample('x', image, labels, draw_pred=draw_pred)
    np.testing.assert_array_equal(ours, wanted)
    assert (wanted[:, :128] != image).any()


def test_attention_shows_every_mask_pixel_by_pixel(image, sample):
    visualizer = build('attention')
    picture = visualizer.draw_attention(image, sample.pred_instances)
    for stage in (1, 2):
        mask = visualizer.draw_mask(image, sample.pred_instances, stage)
        left = 8 + stage * (128 + 8)
        np.testing.assert_array_equal(picture[-136:-8, left : left + 128], mask)


@pytest.mark.parametrize('mode', ['attention', 'kept', 'heatmap', 'story'])
def test_poses_of_coco_are_drawn_in_the_style_of_openpose_too(mode, image, sample):
    meta = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
    people = sample.pred_instances
    for name in ('keypoints', 'keypoint_scores', 'keypoints_visible'):
        people.set_field(np.concatenate([people[name], people[name][:, -1:]], axis=1), name)
    visualizer = AttentionVisualizer(mode=mode)
    pictures = []
    for style in ('mmpose', 'openpose'):  # as MMPoseInferencer(skeleton_style=...) does
        visualizer.set_dataset_meta(meta, style)
        pictures.append(visualizer.add_datasample('x', image, sample, skeleton_style=style))
    assert visualizer.dataset_meta['keypoint_id2name'][1] == 'left_eye'  # the heatmaps' names
    assert (pictures[0] != pictures[1]).any() == (mode != 'heatmap')


def test_joints_have_mmposes_colours(image, sample):
    picture = build('pose').draw_pose(0 * image, sample.pred_instances)
    assert (picture[64, 64] == META['keypoint_colors'][15]).all()  # the last one on top


def test_heatmaps_are_brightest_where_they_peak(image, sample):
    heatmaps = np.zeros((16, 128, 128), np.float32)
    heatmaps[3, 40, 90] = 0.5
    picture = build('heatmap').draw_heatmaps(0 * image, heatmaps)
    tile = picture[8 + 34 : 8 + 34 + 128, 8 + 4 * 136 : 8 + 4 * 136 + 128].sum(axis=-1)
    assert np.unravel_index(tile.argmax(), tile.shape) == (40, 90)
    assert picture.shape[1] == 8 + 6 * 136


@pytest.mark.parametrize(
    ('mode', 'missing', 'sentence'),
    [
        ('attention', 'attention_masks', 'output_attention=True'),
        ('story', 'attention_masks', 'output_attention=True'),
        ('story', 'stage_heatmaps', 'output_heatmaps=True'),
        ('story', 'stage_keypoints', 'output_stages=True'),
    ],
)
def test_a_prediction_without_attention_is_refused(mode, missing, sentence, image, sample):
    sample.pred_instances.pop(missing)
    with pytest.raises(ACNNError, match=sentence):
        build(mode).add_datasample('x', image, sample)


def test_heatmap_mode_without_heatmaps_is_refused(image, sample):
    del sample.pred_fields
    with pytest.raises(ACNNError, match='draw_heatmap=True'):
        build('heatmap').add_datasample('x', image, sample)


def test_it_is_registered_with_mmpose():
    assert VISUALIZERS.get('AttentionVisualizer') is AttentionVisualizer


def test_an_unknown_mode_is_refused():
    with pytest.raises(ACNNError, match="unknown mode 'masks'.*'attention', 'kept'"):
        AttentionVisualizer(mode='masks')


def test_one_stage_has_a_story_too(image, sample):
    person = sample.pred_instances
    person.attention_masks = person.attention_masks[:, :0]
    person.attention_coverage = person.attention_coverage[:, :0]
    person.stage_heatmaps = person.stage_heatmaps[:, :1]
    person.stage_keypoints = person.stage_keypoints[:, :1]
    assert build('story').draw(image, sample).shape[1] > 1000
    assert build('attention').draw(image, sample).shape[1] == 8 + 2 * 136


def test_large_pictures_shrink_to_the_boards_width():
    board = compose([[Tile(np.zeros((720, 1280, 3), np.uint8), 'a title')] * 3], 3)
    assert WIDTH - 8 < board.shape[1] <= WIDTH
    assert fit(board, (200, 100)).shape == (100, 200, 3)


def test_a_crop_that_is_not_square_is_outlined_as_it_is():
    box = CropBox(np.array([50.0, 60.0]), np.array([40.0, 80.0]))
    rows, columns = np.nonzero(outline_crops(np.zeros((120, 100, 3), np.uint8), [box]).any(-1))
    assert (rows.min(), rows.max()) == pytest.approx((20, 100), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((30, 70), abs=1)
