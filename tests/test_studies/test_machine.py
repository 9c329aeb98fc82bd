from __future__ import annotations

from studies.machine import name_cpu


def test_the_cpu_has_the_name_that_the_system_gives_it(monkeypatch):
    info = 'processor\t: 0\nmodel name\t: Fast CPU: 3 GHz \nprocessor\t: 1\nmodel name\t: Other\n'
    monkeypatch.setattr('pathlib.Path.is_file', lambda _: True)
    monkeypatch.setattr('pathlib.Path.read_text', lambda *_, **__: info)
    assert name_cpu() == 'Fast CPU: 3 GHz'
    monkeypatch.setattr('pathlib.Path.is_file', lambda _: False)
    monkeypatch.setattr('platform.processor', lambda: '')
    monkeypatch.setattr('platform.machine', lambda: 'arm64')
    assert name_cpu() == 'arm64'
