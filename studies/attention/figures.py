"""The figures of reproduction.md, beside this file, from json lines alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import mean

from acnn_mmpose.visualization.plots import COLOURS, place_legend, save_figure

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from .plan import FIGURES
from .summary import Line, score

MARKERS = 'osD^vP'

Lines = dict[str, dict[int, Line]]


def draw(kind: str, titles: dict[str, str], lines: Lines, path: Path) -> bool:
    """Draw a figure, unless nothing of what it shows was measured.

    Args:
        kind: One of the plan's FIGURES.
        titles: Of the variants.
        lines: By variant and seed; every variant has at least one.
        path: The picture to write.

    Returns:
        Whether it was written.
    """
    figure = Figure(figsize=(8.8, 3.6), layout='constrained')
    is_drawn = DRAWERS[kind](figure, titles, lines)
    if is_drawn:
        save_figure(figure, path, dpi=120)
    return is_drawn


def _draw_scores(figure: Figure, titles: dict[str, str], lines: Lines) -> bool:
    """One dot per seed, a bar at the mean."""
    figure.set_figheight(1.0 + 0.32 * len(lines))
    axis = figure.subplots()
    for row, by_seed in enumerate(lines.values()):
        totals = [score(line) for line in by_seed.values()]
        axis.plot(totals, [row] * len(totals), 'o', color=COLOURS[0], alpha=0.6)
        axis.plot([mean(totals)] * 2, [row - 0.3, row + 0.3], color=COLOURS[1], linewidth=2)
    axis.set_yticks(range(len(lines)), [titles[variant] for variant in lines])
    axis.invert_yaxis()
    axis.set_xlabel('PCKh@0.5, Total')
    axis.grid(axis='x', alpha=0.3)
    return True


def _draw_masks(figure: Figure, titles: dict[str, str], lines: Lines) -> bool:
    """What masks keep of background, against what they keep of joints and what it scores."""
    axes = figure.subplots(1, 2, sharex=True)
    for index, (variant, by_seed) in enumerate(lines.items()):
        style = dict(
            color=COLOURS[index % len(COLOURS)],
            marker=MARKERS[index // len(COLOURS) % len(MARKERS)],
            linestyle='',
            alpha=0.8,
            label=titles[variant],
        )
        masks = [line['coverage'] for line in by_seed.values()]
        background = [100 * mean(mask[2] for mask in each) for each in masks]
        axes[0].plot(background, [100 * mean(m[1] for m in each) for each in masks], **style)
        totals = [score(line) for line in by_seed.values()]
        axes[1].plot(background, totals, **style)
    for axis, label in zip(axes, ('joints kept, %', 'PCKh@0.5, Total')):
        axis.set_xlabel('background kept, %')
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
    place_legend(axes[1], fontsize=7)
    return True


def _draw_gradients(figure: Figure, titles: dict[str, str], lines: Lines) -> bool:
    """How much larger task B's gradients are than task A's, over training, per seed."""
    axes = figure.subplots(1, 2, sharex=True)
    pairs = (('grad_rms_attention', 'grad_rms_pose'), ('grad_rms_mask1', 'grad_rms_feature1'))
    labels = ('at the parameters, task B / task A', 'at the tensors, M(1) / feature of stage 1')
    for axis, pair, label in zip(axes, pairs, labels):
        for index, (variant, by_seed) in enumerate(lines.items()):
            for line in by_seed.values():
                _draw_ratio(axis, line, pair, COLOURS[index % len(COLOURS)], titles[variant])
        axis.axhline(1, color='0.6', linewidth=0.8)
        axis.set_yscale('log')
        axis.set_xlabel('epoch')
        axis.set_ylabel(f'gradient RMS {label}', fontsize=8)
        axis.grid(alpha=0.3)
    return place_legend(axes[1], axes[0], fontsize=7) > 0


def _draw_people(figure: Figure, titles: dict[str, str], lines: Lines) -> bool:
    """The first seed's masks of a few people: what they keep in white, with the predicted pose."""
    firsts = {variant: next(iter(by_seed.values())) for variant, by_seed in lines.items()}
    sketches = {v: line['people'] for v, line in firsts.items() if line.get('people')}
    if not sketches:
        return False
    links = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/mpii.py'))['skeleton_links']
    columns = max(map(len, sketches.values()))
    width, height = 1.3 * columns, 1.6 * len(sketches)
    figure.set_size_inches(width, height)
    figure.set_layout_engine('constrained', hspace=0.2, rect=(0, 0, 1, 1 - 0.25 / height))
    axes = figure.subplots(len(sketches), columns, squeeze=False)
    for row, (variant, people) in zip(axes, sketches.items()):
        title = row[0].text(0, 1.06, titles[variant], transform=row[0].transAxes, fontsize=8)
        title.set_in_layout(False)  # it is wider than its axis, which is not to grow by it
        for axis in row:
            axis.set_axis_off()
        for axis, person in zip(row, people):
            mask = [[int(digit) for digit in digits] for digits in person['mask']]
            axis.imshow(mask, cmap='gray', vmin=-4, vmax=9)
            for link in links:
                x, y = zip(*(person['joints'][joint] for joint in link))
                axis.plot(x, y, color=COLOURS[1], linewidth=1)
    return True


def _draw_ratio(axis: Axes, line: Line, pair: tuple[str, str], colour: str, label: str) -> None:
    """Draw the ratio of two logged figures, in each phase that logged both."""
    start = 0
    for phase, curves in zip(line['phases'], line['curves']):
        if all(name in curves for name in pair):
            (epochs, above), (_, below) = (zip(*curves[name]) for name in pair)
            ratios = [a / b for a, b in zip(above, below)]
            axis.plot([start + e for e in epochs], ratios, color=colour, alpha=0.8, label=label)
        start += phase['epochs']


DRAWERS: dict[str, Callable[[Figure, dict[str, str], Lines], bool]] = dict(
    zip(FIGURES, (_draw_scores, _draw_masks, _draw_gradients, _draw_people))
)
