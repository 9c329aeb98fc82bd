"""Painting masks and heatmaps onto images, in colours that colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import matplotlib
import numpy as np

from .mask_geometry import OUTSIDE, CropBox

DISCARDED_COLOUR = np.array([0, 114, 178], np.float32)  # Okabe and Ito's blue, RGB
TINT = 0.7
CROP_COLOUR = (230, 159, 0)  # their orange
HEAT_COLOURS = (matplotlib.colormaps['inferno'](np.arange(256))[:, :3] * 255).astype(np.float32)


def blacken_discarded(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blacken what a mask discards, as in the paper's Fig. 6; returns (H, W, 3), uint8.

    Args:
        image: (H, W, 3), uint8.
        mask: (H, W) in [0, 1], ``OUTSIDE`` where there is none; the image stays there.
    """
    keep = np.where(mask == OUTSIDE, 1, mask)[..., None]
    return (image * keep).astype(np.uint8)


def tint_discarded(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tint what a mask discards blue, as in the paper's Fig. 2; arguments as for Fig. 6."""
    strength = TINT * np.where(mask == OUTSIDE, 0, 1 - mask)[..., None]
    return ((1 - strength) * image + strength * DISCARDED_COLOUR).astype(np.uint8)


def outline_crops(image: np.ndarray, boxes: Sequence[CropBox]) -> np.ndarray:
    """Draw the outlines of crops, which is all that the network sees of an image (H, W, 3), RGB."""
    image = image.copy()
    thickness = max(1, round(max(image.shape) / 250))
    for box in boxes:
        cv2.rectangle(image, *box.corners(), CROP_COLOUR, thickness, cv2.LINE_AA)
    return image


def overlay_heat(image: np.ndarray, heat: np.ndarray, peak: float) -> np.ndarray:
    """Blend a heatmap into the dimmed grey image: black, violet, orange, yellow.

    Args:
        image: (H, W, 3), RGB, uint8; so is what is returned.
        heat: (H, W).
        peak: The value that is drawn brightest, > 0; negative values are drawn as 0.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    strength = np.clip(heat / peak, 0, 1)
    colours = HEAT_COLOURS[(strength * 255).astype(np.uint8)]
    opacity = np.sqrt(strength)[..., None]
    return ((1 - opacity) * 0.55 * grey + opacity * colours).astype(np.uint8)


def draw_moves(
    image: np.ndarray, before: np.ndarray, after: np.ndarray, moved: np.ndarray, colours: np.ndarray
) -> np.ndarray:
    """Draw joints (K, 2) on an image, RGB, with a line from where those that moved have been."""
    image = (0.6 * image).astype(np.uint8)
    radius = max(2, image.shape[0] // 64)
    for old, new, is_moved, colour in zip(before, after, moved, colours):
        colour = tuple(int(c) for c in colour)
        start, end = (tuple(int(v) for v in np.round(p)) for p in (old, new))
        if is_moved:
            cv2.line(image, start, end, (255, 255, 255), radius, cv2.LINE_AA)
            cv2.line(image, start, end, colour, max(1, radius // 2), cv2.LINE_AA)
            cv2.circle(image, end, radius + 2, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(image, end, radius, colour, -1, cv2.LINE_AA)
    return image
