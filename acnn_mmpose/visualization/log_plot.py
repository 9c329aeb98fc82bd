"""One figure of several runs in a row: how the three phases went."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import ACNNError
from ..evaluation import Curves, RunLog
from .plots import COLOURS, place_legend


def plot_runs(runs: Sequence[RunLog]) -> Figure:
    """Draw loss, PCKh per stage or AP, coverage per mask, gradients, learning rate over epochs.

    Args:
        runs: In the order in which they ran.

    Returns:
        A figure 8.8 inches wide, for a README 880 pixels wide.

    Raises:
        ACNNError: If there is no run, or some count epochs and others iterations.
    """
    if not runs:
        raise ACNNError('there is no run to plot')
    if len({run.unit for run in runs}) > 1:
        raise ACNNError('some of the runs count epochs, others iterations: plot them apart')
    score = 'AP' if any('AP' in run.scores for run in runs) else 'PCKh@0.5, Total'
    figure = Figure(figsize=(8.8, 10), layout='constrained')
    axes = figure.subplots(5, 1, sharex=True)
    panels: list[tuple[str, Callable[[RunLog], Curves], bool]] = [
        ('loss', lambda run: _select(run, {'loss': 'loss'}), True),
        (score, lambda run: run.scores, False),
        ('share kept', _coverage, False),
        (
            'gradient RMS',
            lambda run: _select(
                run,
                {'task A (pose)': 'grad_rms_pose', 'task B (attention)': 'grad_rms_attention'},
            ),
            True,
        ),
        ('learning rate', lambda run: _select(run, {'learning rate': 'lr'}), True),
    ]
    for axis, (label, curves_of, is_log) in zip(axes, panels):
        _draw_panel(axis, [(run, curves_of(run)) for run in runs])
        axis.set_ylabel(label)
        if is_log:
            axis.set_yscale('log')
    axes[2].set_ylim(-0.05, 1.05)
    axes[-1].set_xlabel(runs[0].unit)
    _mark_phases(axes, runs)
    return figure


def _draw_panel(axis: Axes, parts: Sequence[tuple[RunLog, Curves]]) -> None:
    """Draw curves of the same name in the same colour, run after run."""
    things = list(dict.fromkeys(_thing(name) for _, curves in parts for name in curves))
    start = 0
    for run, curves in parts:
        for name, points in curves.items():
            epochs, values = zip(*points)
            axis.plot(
                [start + epoch for epoch in epochs],
                values,
                color=COLOURS[things.index(_thing(name)) % len(COLOURS)],
                linestyle='-' if name == _thing(name) else '--',
                marker='o' if len(points) < 20 else None,
                markersize=3.5,
                label=name,
            )
        start += run.epochs
    if len({name for _, curves in parts for name in curves}) > 1:
        place_legend(axis)
    axis.grid(alpha=0.3)


def _thing(name: str) -> str:
    """Say what a curve is about: "M(1)" of "M(1) on joints"."""
    return name.partition(' on ')[0]


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


def _select(run: RunLog, names: dict[str, str]) -> Curves:
    """Pick logged scalars by label and name."""
    return {label: run.training[name] for label, name in names.items() if name in run.training}


def _coverage(run: RunLog) -> Curves:
    names = {}
    for i in range(1, len(run.training)):
        names[f'M({i})'] = f'mask{i}_coverage'
        names[f'M({i}) on joints'] = f'mask{i}_joint_coverage'
    return _select(run, names)
