"""What an experiment trains: variants at equal budget, each a chain of phases, over several seeds.

A plan is an MMEngine config file:

- ``name``: of the experiment, its results and figures
- ``budget``: epochs that every variant trains for, all its phases together
- ``seeds``: at least one
- ``variants``: name to ``dict(title=..., phases=[...])``; a phase is ``dict(config=..., epochs=...,
  options={...})``: a config file (relative to the plan), for how many epochs, with which overrides.
  The others are compared with the first variant, or with the one that they name as ``over``.
- ``options``: overrides of every phase's config, before the phase's own; may be left out
- ``figures``: which of FIGURES the report draws (see :mod:`.figures`)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from acnn_mmpose.engine import read_config
from acnn_mmpose.errors import ACNNError

FIGURES = ('scores', 'masks', 'gradients', 'people')


@dataclass(frozen=True)
class Phase:
    """One training of a chain.

    Attributes:
        config: The config file, relative to the plan.
        epochs: For how long; the config's learning rate drops keep their place in the schedule.
        options: Overrides of the config, as in ``--cfg-options``.
    """

    config: str
    epochs: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One variant with one seed.

    Attributes:
        variant: Its name in the plan.
        seed: Of data order, augmentation and initialisation.
        phases: In order, each from the last checkpoint of the one before.
    """

    variant: str
    seed: int
    phases: tuple[Phase, ...]

    def declared(self) -> list[dict[str, Any]]:
        """Say what the plan says of the phases, ready for json."""
        return json.loads(json.dumps([asdict(phase) for phase in self.phases]))


@dataclass(frozen=True)
class Plan:
    """An experiment.

    Attributes:
        name: Of the experiment.
        folder: Of the plan's file.
        budget: Epochs per run.
        seeds: Of the runs.
        titles: By variant, for tables.
        variants: By variant, its phases.
        over: By variant, the one that it is compared with.
        figures: Kinds of figures of the report, of FIGURES.
    """

    name: str
    folder: Path
    budget: int
    seeds: tuple[int, ...]
    titles: dict[str, str]
    variants: dict[str, tuple[Phase, ...]]
    over: dict[str, str]
    figures: tuple[str, ...]

    def runs(
        self, seeds: Sequence[int] | None = None, variants: Sequence[str] | None = None
    ) -> list[Run]:
        """List the runs, the first seed of every variant first.

        Args:
            seeds: Which of the plan's seeds; by default all.
            variants: Which of the plan's variants; by default all.

        Raises:
            ACNNError: If the plan has no such seed or variant.
        """
        for asked, known in ((seeds, self.seeds), (variants, self.variants)):
            for one in asked or ():
                if one not in known:
                    raise ACNNError(
                        f'experiment {self.name!r} has no {one!r}: choose from '
                        f'{", ".join(map(str, known))}'
                    )
        return [
            Run(variant, seed, self.variants[variant])
            for seed in seeds or self.seeds
            for variant in variants or self.variants
        ]


def load_plan(path: str) -> Plan:
    """Read a plan; like every config file it is Python and runs as code.

    Raises:
        ACNNError: If it can't be read, lacks something, or its variants differ in budget.
    """
    content = read_config(path)
    try:
        options = content.to_dict().get('options', {})
        variants = {
            variant: tuple(_read_phase(phase, options) for phase in entry['phases'])
            for variant, entry in content.variants.to_dict().items()
        }
        plan = Plan(
            name=content.name,
            folder=Path(path).parent,
            budget=content.budget,
            seeds=tuple(content.seeds),
            titles={variant: entry['title'] for variant, entry in content.variants.items()},
            variants=variants,
            over={
                variant: entry.get('over', next(iter(variants)))
                for variant, entry in content.variants.items()
            },
            figures=tuple(content.figures),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ACNNError(
            f'{path} is not an experiment ({error!r}): it needs name, budget, seeds, figures and '
            'variants with a title and phases of config, epochs and maybe options'
        ) from error
    for figure in plan.figures:
        if figure not in FIGURES:
            raise ACNNError(f'{path} has an unknown figure {figure!r}: choose of {FIGURES}')
    if not plan.seeds or not plan.variants:
        raise ACNNError(f'{path} needs at least one seed and one variant')
    for variant, phases in plan.variants.items():
        if plan.over[variant] not in plan.variants:
            raise ACNNError(
                f'variant {variant!r} of {path} is to be compared with {plan.over[variant]!r}, '
                'which is not one of the variants'
            )
        epochs = [phase.epochs for phase in phases]
        if sum(epochs) != plan.budget or min(epochs, default=0) < 1:
            raise ACNNError(
                f'variant {variant!r} of {path} trains for {" + ".join(map(str, epochs))} epochs, '
                f'but every variant must have the budget of {plan.budget}'
            )
    return plan


def _read_phase(phase: dict[str, Any], options: dict[str, Any]) -> Phase:
    """Read what a plan says of a phase, with the options of all phases before its own."""
    return Phase(**{**phase, 'options': {**options, **phase.get('options', {})}})
