"""How a command line tool ends."""

from __future__ import annotations

import runpy

from acnn_mmpose.errors import ACNNError, name_first, run_tool

import pytest


def stop(sentence: str = '') -> None:
    raise KeyboardInterrupt(sentence)


def stop_hidden() -> None:
    """As in MMEngine, which takes Ctrl-C for an error in a config."""
    try:
        stop()
    except:  # noqa: E722
        raise SyntaxError('Failed to format the config file')  # noqa: B904


@pytest.mark.parametrize(
    ('main', 'said'),
    [
        (stop, 'stopped\n'),
        (lambda: stop('stopped; --resume goes on'), 'stopped; --resume goes on\n'),
        (stop_hidden, 'stopped\n'),
    ],
)
def test_ctrl_c_is_one_sentence_and_status_130(capsys, main, said):
    with pytest.raises(SystemExit) as end:
        run_tool(main)
    assert end.value.code == 130
    assert capsys.readouterr().err == said


def test_ctrl_c_goes_on_as_the_study_does_whatever_the_training_says(capsys, monkeypatch):
    monkeypatch.setattr('studies.attention.load_plan', lambda _: stop('stopped; --resume goes on'))
    monkeypatch.setattr('sys.argv', ['attention', 'run', 'plan.py'])
    with pytest.raises(SystemExit) as end:
        runpy.run_module('studies.attention', run_name='__main__')
    assert end.value.code == 130
    assert capsys.readouterr().err == 'stopped; the same command goes on\n'


def test_bad_input_is_one_sentence_and_a_bug_keeps_its_traceback():
    def bad_input():
        raise ACNNError('give a file')

    with pytest.raises(SystemExit) as end:
        run_tool(bad_input)
    assert end.value.code == 'error: give a file'
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: 1 / 0)


@pytest.mark.parametrize(
    ('problems', 'said'),
    [('a', 'a'), ('ab', 'a (and 1 more problem)'), ('abc', 'a (and 2 more problems)')],
)
def test_the_first_problem_is_named_and_the_others_are_counted(problems, said):
    assert name_first(list(problems)) == said
