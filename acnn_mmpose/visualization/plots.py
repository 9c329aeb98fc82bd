"""Plots: how several runs in a row went, and what all plots have in common."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import ACNNError
from ..evaluation import Curves, RunLog
from ..files import write_whole

# Okabe and Ito's, told apart by colour-blind readers
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')


def place_legend(axis: Axes, drawn: Axes | None = None, fontsize: float = 8) -> int:
    """Write a legend of what is drawn on an axis, or another, at its right; return its length."""
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
    """Write a figure in the format that the file's name ends in, or nothing."""
    suffix = Path(path).suffix[1:]
    # without a version of matplotlib and a date, so that the same figure gives the same bytes
    metadata = {'png': {'Software': None}, 'svg': {'Date': None}, 'pdf': {'CreationDate': None}}
    stream = io.BytesIO()
    figure.savefig(stream, format=suffix, dpi=dpi, metadata=metadata[suffix])
    write_whole(path, stream.getvalue())


def plot_runs(runs: Sequence[RunLog]) -> Figure:
    """Draw loss, PCKh per stage or AP, coverage per mask, gradients, learning rate over epochs.

    The figure of the runs, in the order in which they ran, is 8.8 inches wide, for a README 880
    pixels wide.
    """
    if not runs:
        raise ACNNError('there is no run to plot')
    gradients = {'task A (pose)': 'grad_rms_pose', 'task B (attention)': 'grad_rms_attention'}
    coverage = {}
    for i in range(1, max(len(run.training) for run in runs)):  # more than there are masks
        coverage[f'M({i})'] = f'mask{i}_coverage'
        coverage[f'M({i}) on joints'] = f'mask{i}_joint_coverage'
    scores = 'AP' if any('AP' in run.scores for run in runs) else 'PCKh@0.5, Total'

    def pick(names: dict[str, str]) -> list[Curves]:
        """Pick from each run the logged scalars, by label, that it has."""
        return [
            {label: run.training[name] for label, name in names.items() if name in run.training}
            for run in runs
        ]

    panels = (
        ('loss', pick({'loss': 'loss'}), 'log'),
        (scores, [run.scores for run in runs], 'linear'),
        ('share kept', pick(coverage), 'linear'),
        ('gradient RMS', pick(gradients), 'log'),
        ('learning rate', pick({'learning rate': 'lr'}), 'log'),
    )
    figure = Figure(figsize=(8.8, 10), layout='constrained')
    axes = figure.subplots(len(panels), 1, sharex=True)
    for axis, (label, parts, scale) in zip(axes, panels):
        _draw_panel(axis, runs, parts)
        axis.set_ylabel(label)
        axis.set_yscale(scale)
    axes[2].set_ylim(-0.05, 1.05)
    axes[-1].set_xlabel('epoch')
    _mark_phases(axes, runs)
    return figure


def _draw_panel(axis: Axes, runs: Sequence[RunLog], parts: Sequence[Curves]) -> None:
    """Draw curves of the same name in the same colour, run after run."""
    labels = list(dict.fromkeys(name for curves in parts for name in curves))
    subjects = list(dict.fromkeys(name.partition(' on ')[0] for name in labels))
    start = 0
    for run, curves in zip(runs, parts):
        for name, points in curves.items():
            epochs, values = zip(*points)
            subject = name.partition(' on ')[0]  # "M(1)" of "M(1) on joints"
            axis.plot(
                [start + epoch for epoch in epochs],
                values,
                color=COLOURS[subjects.index(subject) % len(COLOURS)],
                linestyle='-' if name == subject else '--',
                marker='o' if len(points) < 20 else None,
                markersize=3.5,
                label=name,
            )
        start += run.epochs
    if len(labels) > 1:
        place_legend(axis)
    axis.grid(alpha=0.3)


def _mark_phases(axes: Sequence[Axes], runs: Sequence[RunLog]) -> None:
    start = 0
    for index, run in enumerate(runs):
        for axis in axes:
            axis.axvspan(start, start + run.epochs, color='0.5', alpha=0.12 * (index % 2), lw=0)
            axis.axvline(start + run.epochs, color='0.6', linewidth=0.8)
        middle = start + run.epochs / 2
        top = axes[0].get_xaxis_transform()
        axes[0].text(middle, 1.04, run.name, transform=top, ha='center', fontsize=9)
        start += run.epochs
    axes[0].set_xlim(-0.01 * start, 1.01 * start)
