"""The visualizer: the paper's figures and the story of one person, for images and crops alike.

Shape legend: I instances, K joints, S stages, H x W image, h x w heatmap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.structures import InstanceData
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from ..errors import ACNNError
from ..files import write_picture
from .board import Tile, compose, stack
from .mask_geometry import crop_boxes, crop_person, place_stage
from .paint import blacken_discarded, outline_crops, overlay_heat, tint_discarded
from .story import lay_out_stage, tell_story

MODES = ('attention', 'kept', 'heatmap', 'pose', 'story')
HEATMAP_COLUMNS = 6
CROP_HEIGHT = 256  # pixels, of a person who is cut out


@VISUALIZERS.register_module()
class AttentionVisualizer(PoseLocalVisualizer):
    """MMPose's :class:`PoseLocalVisualizer` that also shows what the network attends to.

    Modes, each with a method of its own that works on a whole image as well as on a crop
    (:func:`~acnn_mmpose.visualization.crop_person`):

    - ``'attention'`` (Fig. 2): image, per mask the image with discarded regions blue, pose
    - ``'kept'`` (Fig. 6): the same with discarded regions black
    - ``'heatmap'`` (Fig. 1): a heatmap per joint over the image
    - ``'pose'`` (Fig. 5): MMPose's own picture
    - ``'story'``: per person how its pose came about, stage by stage

    The first two and the last need ``model.test_cfg.output_attention``, which our configs set;
    ``'heatmap'`` and ``'story'`` need ``output_heatmaps``, which MMPose's inferencer sets with
    ``draw_heatmap=True``.

    Args:
        name: MMEngine's name of the instance.
        mode: What :meth:`add_datasample` draws.
        **kwargs: Arguments of :class:`PoseLocalVisualizer`.
    """

    radius: float
    line_width: float
    skeleton_style = 'mmpose'

    def __init__(self, name: str = 'visualizer', mode: str = 'attention', **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        if mode not in MODES:
            raise ACNNError(f'unknown mode {mode!r} of AttentionVisualizer: choose one of {MODES}')
        self.mode = mode

    def set_dataset_meta(self, dataset_meta: dict, skeleton_style: str = 'mmpose') -> None:
        """Take joints, links and colours of a data set; a style is that of poses from now on."""
        super().set_dataset_meta(dataset_meta, skeleton_style)
        self.dataset_meta, self.skeleton_style = dataset_meta or {}, skeleton_style

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: PoseDataSample,
        draw_gt: bool = True,
        draw_pred: bool = True,
        *args: Any,
        **options: Any,
    ) -> np.ndarray:
        """Draw a prediction as the mode says, save and return it; arguments are MMPose's.

        Without a prediction, as when a data set is browsed, the picture is MMPose's own.
        """
        if self.mode == 'pose' or not draw_pred or 'pred_instances' not in data_sample:
            return super().add_datasample(
                name, image, data_sample, draw_gt, draw_pred, *args, **options
            )
        picture = self.draw(image, data_sample, options.get('kpt_thr', 0.3))
        self.set_image(picture)
        if options.get('show', False):
            self.show(picture, win_name=name, wait_time=options.get('wait_time', 0))
        if options.get('out_file') is None:
            self.add_image(name, picture, options.get('step', 0))
        else:
            write_picture(options['out_file'], picture)
        return picture

    def draw(
        self, image: np.ndarray, data_sample: PoseDataSample, kpt_thr: float = 0.3
    ) -> np.ndarray:
        """Draw a prediction as the mode says; arguments as for :meth:`add_datasample`."""
        people = data_sample.pred_instances
        if self.mode == 'heatmap':
            heatmaps = data_sample.get('pred_fields', {}).get('heatmaps')
            if heatmaps is None:
                raise ACNNError(
                    "mode 'heatmap' needs heatmaps: set model.test_cfg.output_heatmaps=True, or "
                    'draw_heatmap=True with MMPoseInferencer'
                )
            return self.draw_heatmaps(image, heatmaps)
        draw = {'pose': self.draw_pose, 'story': self.draw_stories}
        return draw.get(self.mode, self.draw_attention)(image, people, kpt_thr)

    def draw_pose(
        self, image: np.ndarray, people: InstanceData, kpt_thr: float = 0.3
    ) -> np.ndarray:
        """Draw the people's poses (Fig. 5); returns (H, W, 3), uint8."""
        radius, line_width = self.radius, self.line_width
        # MMPose's defaults are for small images
        self.radius = max(radius, round(max(image.shape) / 200))
        self.line_width = max(line_width, 2, round(max(image.shape) / 250))
        try:
            style = self.skeleton_style
            return self._draw_instances_kpts(image.copy(), people, kpt_thr, skeleton_style=style)
        finally:
            self.radius, self.line_width = radius, line_width

    def draw_mask(self, image: np.ndarray, people: InstanceData, stage: int) -> np.ndarray:
        """Draw what M(``stage``) discards: black in mode ``'kept'`` (Fig. 6), else blue (Fig. 2).

        Args:
            image: (H, W, 3), RGB, uint8; so is what is returned, pixel by pixel over the image.
            people: With attention masks; a region is kept if anybody's mask keeps it, and stays
                as it is where nobody's crop lies.
            stage: From 1 to S - 1.
        """
        paint = blacken_discarded if self.mode == 'kept' else tint_discarded
        return paint(image, place_stage(people, stage, image.shape[:2]))

    def draw_attention(
        self, image: np.ndarray, people: InstanceData, kpt_thr: float = 0.3
    ) -> np.ndarray:
        """Draw image, every mask, and the poses in a row (Fig. 2 and 6)."""
        tiles = [Tile(outline_crops(image, crop_boxes(people)), 'input')]
        for i in range(1, people.attention_masks.shape[1] + 1):
            kept = np.mean(people.attention_coverage[:, i - 1])
            tiles.append(Tile(self.draw_mask(image, people, i), f'M({i}): {kept:.0%} kept'))
        tiles.append(Tile(self.draw_pose(image, people, kpt_thr), 'pose'))
        return compose([tiles], len(tiles))

    def draw_heatmaps(self, image: np.ndarray, heatmaps: np.ndarray | torch.Tensor) -> np.ndarray:
        """Draw heatmaps (K, H, W), one per joint, over the image (Fig. 1), all on one scale."""
        heatmaps = np.asarray(heatmaps)
        names = self.dataset_meta.get('keypoint_id2name', {})
        peak = max(float(heatmaps.max()), 1e-6)
        tiles = [Tile(image, 'input')] + [
            Tile(overlay_heat(image, heat, peak), names.get(k, f'joint {k}').replace('_', ' '))
            for k, heat in enumerate(heatmaps)
        ]
        rows = [tiles[i : i + HEATMAP_COLUMNS] for i in range(0, len(tiles), HEATMAP_COLUMNS)]
        return compose(rows, HEATMAP_COLUMNS)

    def draw_stories(
        self, image: np.ndarray, people: InstanceData, kpt_thr: float = 0.3
    ) -> np.ndarray:
        """Draw one story board per person, below each other."""
        colours = np.asarray(self.kpt_color)
        return stack(
            [
                tell_story(crop, person, self.draw_pose(crop, person, kpt_thr), colours)
                for crop, person in _cut_out(image, people)
            ]
        )

    def draw_stage(self, image: np.ndarray, people: InstanceData, stage: int) -> np.ndarray:
        """Draw one stage, from 1 to S, of every person: their story boards' rows of that stage."""
        colours = np.asarray(self.kpt_color)
        rows = [lay_out_stage(*cut, stage, colours) for cut in _cut_out(image, people)]
        return compose(rows, len(rows[0]))


def _cut_out(image: np.ndarray, people: InstanceData) -> list[tuple[np.ndarray, InstanceData]]:
    """Cut out everybody who can have a story board."""
    crop_boxes(people)  # refuses people without attention
    if 'stage_heatmaps' not in people or 'stage_keypoints' not in people:
        raise ACNNError(
            'a story board needs model.test_cfg.output_heatmaps=True and '
            'model.test_cfg.output_stages=True'
        )
    return [crop_person(image, people, i, CROP_HEIGHT) for i in range(len(people))]
