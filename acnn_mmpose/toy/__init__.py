"""A generated data set in MPII's layout: people that can be drawn by anybody, at once."""

from .dataset import draw_person_image, make_toy_dataset
