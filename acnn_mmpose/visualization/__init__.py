"""Pictures of what the network attends to and predicts."""

from .mask_geometry import OUTSIDE, CropBox, crop_boxes, crop_person, place_mask, place_stage
from .people import draw_people
from .plots import plot_runs
from .visualizer import MODES, AttentionVisualizer
