"""PCKh against time: a line per network, a point per stage after which it may stop."""

from __future__ import annotations

from collections.abc import Sequence

from acnn_mmpose.visualization.plots import COLOURS
from studies.speed import Table

from matplotlib.figure import Figure

from .trained import Network, row_name, stages_to_stop_after


def plot_networks(networks: Sequence[Network], table: Table) -> Figure:
    """Draw the table of :func:`.trained.compare_trained` of some networks, measured."""
    figure = Figure(figsize=(7, 4.5), layout='constrained')
    axis = figure.subplots()
    first = table.cases[0].name
    for network, colour in zip(networks, COLOURS):
        numbers = stages_to_stop_after(network)
        rows = [row_name(network, number) for number in numbers]
        times = [table.ratio(row, first) for row in rows]
        scores = [table.scores[row] for row in rows]
        pckh = [score['pckh'] for score in scores]
        spread = [score.get('pckh_sd', 0.0) for score in scores]
        axis.errorbar(times, pckh, spread, fmt='o-', color=colour, label=network.name, capsize=3)
        for number, time, value in zip(numbers, times, pckh):
            axis.annotate(f' {number}', (time, value), color=colour, fontsize=8, va='top')
    axis.set_xlabel(f'time per person, 1 = {networks[0].name}')
    axis.set_ylabel('PCKh@0.5')
    axis.set_title(table.title, fontsize=9)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure
