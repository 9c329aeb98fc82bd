from __future__ import annotations

import json
import time
from functools import partial

from studies.speed import GROUPS, describe_machine, run_benchmark, to_json, to_text
from studies.speed.networks import training_step
from studies.speed.table import Case, Comparison, Table, yardstick
from studies.speed.timing import clock, interleave

import pytest
import torch
from mmpose.registry import MODELS


def test_functions_are_called_in_turn_at_least_three_times():
    calls = []
    runs = {name: partial(calls.append, name) for name in 'ab'}
    rounds = list(interleave(runs, seconds=0, device='cpu'))
    assert [sorted(calls[i : i + 2]) for i in (0, 2, 4)] == [['a', 'b']] * 3
    assert [sorted(figures) for figures in rounds] == [['a', 'b']] * 3


def test_every_round_has_an_order_of_its_own():
    rounds = interleave(dict.fromkeys('ab', int), seconds=10, device='cpu')
    assert {tuple(figures) for figures in rounds} == {('a', 'b'), ('b', 'a')}


def test_more_rounds_fit_into_more_seconds():
    assert len(list(interleave({'a': partial(time.sleep, 0.01)}, 0.1, 'cpu'))) in range(4, 11)
    assert len(list(interleave({'a': int}, 10, 'cpu'))) == 100


def test_the_clock_counts_seconds():
    assert 0.02 <= clock(partial(time.sleep, 0.02), 'cpu') < 0.2


def filled_table() -> Table:
    """Three rounds; in the second the machine is twice as slow half of the time."""
    peak = yardstick(torch.float32)
    cases = [
        Case('slow', int, count=2, dtype=torch.float32),
        Case('fast', int, count=2, dtype=torch.float32),
        Case('part', int),
        Case(peak, int, dtype=torch.float32),
    ]
    return Table(
        'Title',
        cases,
        'cpu',
        comparisons=[Comparison('fast', 'slow'), Comparison('fast', 'slow', 'part')],
        rounds=[
            {'slow': 0.4, 'fast': 0.1, 'part': 0.05, peak: 0.1},
            {'slow': 0.8, 'fast': 0.1, 'part': 0.05, peak: 0.1},
            {'slow': 0.4, 'fast': 0.2, 'part': 0.05, peak: 0.2},
        ],
        flops={'slow': 10**10, 'fast': 10**10, peak: 2 * 10**10},
        parts={'fast': {'Flip': [0.001, 0.002, 0.009]}},
    )


def test_ratios_are_medians_over_the_rounds():
    assert filled_table().ratio('slow', 'fast') == pytest.approx(4)
    assert filled_table().typical('slow') == pytest.approx(0.4)


def test_the_text_gives_ratios_then_figures():
    lines = to_text(filled_table()).splitlines()
    assert lines[0] == 'Title (median of 3 rounds)'
    assert ' '.join(lines[1].split()) == 'speed ms/image images/s GFLOPs/image GFLOP/s of peak'
    assert ' '.join(lines[2].split()) == 'slow 1.00x 200.0 5.0 5.0 25 12%'
    assert ' '.join(lines[3].split()) == 'fast 4.00x 50.0 20.0 5.0 100 50%'
    assert ' '.join(lines[4].split()) == 'part 8.00x 50.0 20.0'
    assert lines[5:] == [
        'matrix product, float32: 200 GFLOP/s',
        'fast takes 0.250x the time of slow',
        'fast takes 0.143x the time of slow, both without part',
        'fast, ms: Flip 2.00',
    ]


def test_the_machine_is_named():
    line = describe_machine('cpu')
    assert f'{torch.get_num_threads()} thread' in line
    assert torch.__version__ in line


def test_the_json_has_the_same_figures():
    (table,) = json.loads(json.dumps(to_json([filled_table()], 'cpu')))['tables']
    assert table['cases']['fast']['speedup'] == pytest.approx(4)
    assert table['cases']['fast']['share_of_peak'] == pytest.approx(0.5)
    assert table['parts_ms'] == {'fast': {'Flip': 2}}
    assert [told['time'] for told in table['comparisons']] == pytest.approx([1 / 4, 1 / 7])
    assert len(table['rounds']) == 3


def test_what_has_not_been_measured_is_not_compared():
    table = filled_table()
    table.unit, table.rounds = 'byte', [{'slow': 2 * 10**6, 'fast': 10**6}]
    assert [told['without'] for told in to_json([table], 'cpu')['tables'][0]['comparisons']] == [
        None
    ]
    assert 'without' not in to_text(table)


def interrupt_after(calls: int):
    """Build a function that is interrupted in a later call."""
    left = iter(range(calls))

    def run():
        if next(left, None) is None:
            raise KeyboardInterrupt

    return run


def test_an_interrupt_keeps_the_rounds_before_it(monkeypatch):
    def group(setup):
        yield Table('whole', [Case('a', lambda: int)], 'cpu')
        yield Table('broken', [Case('a', partial(interrupt_after, 3))], 'cpu')
        yield Table('never', [Case('a', lambda: int)], 'cpu')

    monkeypatch.setitem(GROUPS, 'group', group)
    tables = list(run_benchmark(None, ['group'], seconds=0))
    assert [(table.title, len(table.rounds)) for table in tables] == [('whole', 3), ('broken', 2)]

    monkeypatch.setitem(
        GROUPS, 'group', lambda _: [Table('cold', [Case('a', partial(interrupt_after, 0))], 'cpu')]
    )
    assert list(run_benchmark(None, ['group'], seconds=0)) == []


def fill(megabytes: int):
    """Prepare a case that needs this memory for a moment."""
    return lambda: bytearray(b'1' * (megabytes << 20))


def test_peak_memory_is_that_of_the_case_alone(setup):
    ballast = torch.ones(100 << 20, dtype=torch.uint8)  # of this process, not of the cases'
    cases = [
        Case('text', partial(fill, 60)),
        Case('training', partial(training_step, setup, 'ACNN')),
    ]
    table = Table('Peak memory', cases, 'cpu', unit='byte')
    list(table.measure(seconds=0))
    # the text and its copy
    assert table.typical('text') == pytest.approx(2 * 60 * 2**20, rel=0.2)
    weights = sum(4 * weight.numel() for weight in MODELS.build(setup.cfg.model).parameters())
    assert table.typical('training') > 3 * weights  # gradients and averages, too
    assert ballast.sum() == 100 << 20


def test_memory_is_told_in_megabytes_and_more_is_more():
    table = Table('Peak', [Case('a', int), Case('b', int)], 'cpu', unit='byte')
    table.rounds = [{'a': 2 * 10**6, 'b': 5 * 10**6}]
    assert [line.split() for line in to_text(table).splitlines()] == [
        ['Peak'],
        ['memory', 'MB'],
        ['a', '1.00x', '2'],
        ['b', '2.50x', '5'],
    ]
