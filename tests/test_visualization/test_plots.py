"""The figure of several runs."""

from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation import RunLog
from acnn_mmpose.visualization import plot_runs

import pytest


def test_runs_follow_each_other():
    points = [(1.0, 0.5), (2.0, 0.4)]
    names = ('loss', 'lr', 'mask1_coverage', 'mask1_joint_coverage', 'grad_rms_pose')
    first = RunLog('one', dict.fromkeys(names[:2], points), {'stage 1': [(2, 50.0)]}, 2)
    second = RunLog('two', dict.fromkeys(names, points), {'stage 1': [(2, 60.0)]}, 2)
    figure = plot_runs([first, second])
    loss, pckh, kept, gradients, rate = figure.axes
    assert [list(line.get_xdata()) for line in loss.lines[:2]] == [[1, 2], [3, 4]]
    assert [list(line.get_ydata()) for line in pckh.lines[:2]] == [[50], [60]]
    labels = [line.get_label() for line in kept.lines[:2]]
    assert labels == ['M(1)', 'M(1) on joints']
    assert len({line.get_color() for line in kept.lines[:2]}) == 1
    assert gradients.lines[0].get_label() == 'task A (pose)'
    assert [text.get_text() for text in loss.texts] == ['one', 'two']
    assert rate.get_xlabel() == 'epoch'
    figure.canvas.draw()


def test_a_run_that_was_never_evaluated_is_drawn():
    points = [(1.0, 0.5), (2.0, 0.4)]
    run = RunLog('one', {'loss': points, 'lr': points}, {}, 2)
    figure = plot_runs([run])
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0.5, 0.4]
    figure.canvas.draw()


def test_no_run_is_refused():
    with pytest.raises(ACNNError, match='no run to plot'):
        plot_runs([])
