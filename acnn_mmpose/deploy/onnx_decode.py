"""From heatmaps to keypoints: what MMPose's ``MSRAHeatmap`` codec and flip test do.

Shape legend: n people, K joints, h x w heatmap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def merge_mirrored(
    heatmaps: np.ndarray, mirrored: np.ndarray, flip_indices: Sequence[int], shift: bool
) -> np.ndarray:
    """Average the heatmaps of crops and of the mirrored crops.

    Args:
        heatmaps: (n, K, h, w).
        mirrored: (n, K, h, w).
        flip_indices: For each joint the one that a mirror makes of it.
        shift: Move the mirrored heatmaps right by one cell; the first column stays, too.
    """
    back = mirrored[:, flip_indices, :, ::-1]
    if shift:
        back = np.concatenate([back[..., :1], back[..., :-1]], axis=-1)
    return (heatmaps + back) * np.float32(0.5)


def decode_heatmaps(
    heatmaps: np.ndarray, input_size: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Find each joint at its heatmap's maximum, a quarter of a cell towards the higher neighbour.

    In x and in y the quarter is added where the maximum is at least two cells from the start and
    one from the end of that axis, and not in the first line of the other. A heatmap without a
    positive value has its joint at cell (-1, -1).

    Args:
        heatmaps: (n, K, h, w).
        input_size: Width and height of a crop, in pixels.

    Returns:
        Points (n, K, 2) in pixels of the crops, and scores (n, K), the maxima.
    """
    n, k, height, width = heatmaps.shape
    best = heatmaps.reshape(n, k, height * width).argmax(axis=-1)
    y, x = np.divmod(best, width)
    person, joint = np.ogrid[:n, :k]
    scores = heatmaps[person, joint, y, x]

    inner_x = (x > 1) & (x < width - 1) & (y > 0)
    inner_y = (y > 1) & (y < height - 1) & (x > 0)
    left, right = np.where(inner_x, x - 1, x), np.where(inner_x, x + 1, x)
    above, below = np.where(inner_y, y - 1, y), np.where(inner_y, y + 1, y)
    dx = heatmaps[person, joint, y, right] - heatmaps[person, joint, y, left]
    dy = heatmaps[person, joint, below, x] - heatmaps[person, joint, above, x]

    cells = np.stack([x, y], axis=-1) + 0.25 * np.sign(np.stack([dx, dy], axis=-1))
    cells[scores <= 0] = -1
    return cells * (np.array(input_size) / (width, height)), scores
