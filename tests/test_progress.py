from __future__ import annotations

import io

from acnn_mmpose.progress import show_progress

import pytest


@pytest.mark.parametrize(('is_terminal', 'parts'), [(True, 100), (False, 2)])
def test_outside_of_a_terminal_a_bar_is_a_few_lines(monkeypatch, is_terminal, parts):
    now = iter(range(10_000))
    monkeypatch.setattr('tqdm.std.time', lambda: next(now) / 10)
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    monkeypatch.setattr('sys.stderr', stream)
    assert list(show_progress(range(100), 'things', total=100, miniters=1)) == list(range(100))
    assert abs(stream.getvalue().count('things') - parts) <= 2
