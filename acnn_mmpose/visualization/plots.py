"""What the package's plots have in common: colours, and legends beside the axes, whole files."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import write_whole

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


def save_figure(figure: Figure, path: str | Path, dpi: float) -> None:
    """Write a figure in the format that the file's name ends in.

    Raises:
        ACNNError: If it can't be written; what was there before stays.
    """
    suffix = Path(path).suffix[1:]
    # without a version of matplotlib and a date, so that the same figure gives the same bytes
    metadata = {'png': {'Software': None}, 'svg': {'Date': None}, 'pdf': {'CreationDate': None}}
    stream = io.BytesIO()
    figure.savefig(stream, format=suffix, dpi=dpi, metadata=metadata[suffix])
    write_whole(path, stream.getvalue())
