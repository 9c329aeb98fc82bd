"""Experiments: what is trained at equal budget, runs in pieces, results as lines, a report."""

from . import variants
from .plan import Plan, Run, load_plan
from .report import write_report
from .run import describe_progress, run_plan
