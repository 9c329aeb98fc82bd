"""From json lines to the tables of reproduction.md, beside this file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation.pckh import JOINT_GROUPS
from acnn_mmpose.files import write_whole

from tabulate import tabulate

from .figures import draw
from .plan import Plan
from .results import is_earlier, read_lines
from .summary import Line, gains, lines_by_variant, score, spread

SHARES = ('of the map', 'of joints', 'of background')


def write_report(plans: Sequence[Plan], results: Path, page: Path) -> None:
    """Draw the figures of experiments, and fill in their sections of a Markdown page.

    A section lies between the lines ``<!-- results: NAME -->`` and ``<!-- end: NAME -->``; what is
    outside of these, such as verdicts, is left as it is.

    Args:
        plans: The experiments.
        results: Folder of the json lines, ``NAME.jsonl``; figures go there as well.
        page: The page.

    Raises:
        ACNNError: If the page does not exist, or has no section for an experiment.
    """
    if not page.is_file():
        raise ACNNError(f'{page} does not exist: the report fills in sections of a page')
    text = page.read_text(encoding='utf-8')
    for plan in plans:
        begin, end = f'<!-- results: {plan.name} -->', f'<!-- end: {plan.name} -->'
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ACNNError(f'{page} has no section for {plan.name}: add lines {begin} and {end}')
        lines = lines_by_variant(plan, read_lines(results / f'{plan.name}.jsonl'))
        content = _describe(plan, lines, results, page)
        text = f'{before}{begin}\n\n{content}\n\n{end}{after}'
    write_whole(page, text)


def _describe(plan: Plan, lines: dict[str, dict[int, Line]], results: Path, page: Path) -> str:
    """Write the section of an experiment."""
    measured = {variant: by_seed for variant, by_seed in lines.items() if by_seed}
    if not measured:
        return 'Not run yet.'
    parts = [_describe_source(measured), _format_scores(plan, measured)]
    parts += [_format_joints(plan, measured), _format_masks(plan, measured)]
    missing = [
        f'{plan.titles[variant]} (seeds {", ".join(map(str, left))})'
        for variant, by_seed in lines.items()
        if (left := [seed for seed in plan.seeds if seed not in by_seed])
    ]
    if missing:
        parts.append(f'Not run yet: {"; ".join(missing)}.')
    for kind in plan.figures:
        path = results / f'{plan.name}_{kind}.png'
        if draw(kind, plan.titles, measured, path):
            relative = Path(os.path.relpath(path, page.parent)).as_posix()
            parts.append(f'![{plan.name}: {kind}]({relative})')
    return '\n\n'.join(part for part in parts if part)


def _describe_source(lines: dict[str, dict[int, Line]]) -> str:
    """Say what the figures were measured on, by what and for how long."""
    every = [line for by_seed in lines.values() for line in by_seed.values()]
    data, val = every[-1]['train_data'], every[-1]['val_data']
    pieces = [piece for line in every for phase in line['pieces'] for piece in phase]
    commits = sorted({_shorten(piece['commit']) for piece in pieces})
    devices = sorted({f'{p["device"]}, {p["threads"]} threads' for p in pieces})
    versions = sorted({f'torch {piece["torch"]}' for piece in pieces})
    earlier = sum(map(is_earlier, every))
    note = (
        f' {earlier} of {len(every)} runs are of an earlier layout of the configs: those of their '
        'commits say what they trained.'
        if earlier
        else ''
    )
    return (
        f'{data["name"]}: {data["people"]} people to train, {val["people"]} to validate; '
        f'{every[-1]["epochs"]} epochs per run. '
        f'{"; ".join(devices)}; {", ".join(versions)}; commits {", ".join(commits)}.{note}'
    )


def _shorten(commit: str) -> str:
    """Shorten the hash, and keep what marks code that differed from it."""
    sha, *dirty = commit.split('-')
    return '-'.join([sha[:12], *dirty])


def _format_scores(plan: Plan, lines: dict[str, dict[int, Line]]) -> str:
    """Tabulate what the variants score, and how that compares with what they are measured by."""
    first = next(iter(plan.variants))
    legend = (
        f'Mean ± standard deviation over seeds; gain: over "{plan.titles[first]}", seed by seed'
    )
    rows = []
    for variant, by_seed in lines.items():
        ours = list(by_seed.values())
        over = plan.over[variant]
        gain = gains(by_seed, lines.get(over, {})) if variant != over else []
        if gain and over != first:
            legend += f'; of "{plan.titles[variant]}": over "{plan.titles[over]}"'
        rows.append(
            [
                plan.titles[variant],
                str(len(ours)),
                str(spread(map(score, ours))),
                str(spread(gain)) if gain else '',
                str(spread(score(line, 'Mean14') for line in ours)),
                str(spread(score(line, measure='PCKh@0.1') for line in ours)),
                str(spread(score(line, measure='AUC') for line in ours)),
            ]
        )
    header = ['', 'seeds', 'PCKh@0.5, Total', 'gain', 'Mean14', 'PCKh@0.1', 'AUC']
    return f'{_format_table(header, rows)}\n\n{legend}.'


def _format_joints(plan: Plan, lines: dict[str, dict[int, Line]]) -> str:
    """Tabulate PCKh@0.5 by joint."""
    rows = [
        [
            plan.titles[variant],
            *(
                str(spread(score(line, group) for line in by_seed.values()))
                for group in JOINT_GROUPS
            ),
        ]
        for variant, by_seed in lines.items()
    ]
    return _format_table(['PCKh@0.5', *JOINT_GROUPS], rows)


def _format_masks(plan: Plan, lines: dict[str, dict[int, Line]]) -> str:
    """Tabulate what the masks of the final network keep of validation people, in percent."""
    rows = []
    for variant, by_seed in lines.items():
        masks = zip(*(line['coverage'] for line in by_seed.values()))  # per mask, over seeds
        for number, shares in enumerate(masks, start=1):
            cells = [str(spread(100 * share for share in column)) for column in zip(*shares)]
            rows.append([plan.titles[variant], f'M({number})', *cells])
    return _format_table(['share kept, %', 'mask', *SHARES], rows)


def _format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    sides = ['left', *['right'] * (len(header) - 1)]
    return tabulate(rows, header, 'pipe', disable_numparse=True, colalign=sides)
