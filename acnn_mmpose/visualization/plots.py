"""What the package's plots have in common: colours, and legends beside the axes."""

from __future__ import annotations

from matplotlib.axes import Axes

# Okabe and Ito's, told apart by colour-blind readers
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')


def place_legend(axis: Axes, drawn: Axes | None = None, fontsize: float = 8) -> int:
    """Write a legend at the right of an axis, every label once.

    Args:
        axis: Where it is written.
        drawn: The axis whose labels it explains, by default the same.
        fontsize: In points.

    Returns:
        The number of labels; without any there is no legend.
    """
    handles = dict(zip(*reversed((drawn or axis).get_legend_handles_labels())))
    if handles:
        axis.legend(
            handles.values(),
            handles,
            fontsize=fontsize,
            loc='center left',
            bbox_to_anchor=(1, 0.5),
        )
    return len(handles)
