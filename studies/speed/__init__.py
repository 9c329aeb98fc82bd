"""How fast and how large the network is, beside others, on this machine."""

from .groups import GROUPS
from .report import describe_machine, to_json, to_text
from .run import measure_tables, run_benchmark
from .setup import Setup, make_setup
from .table import Case, Table
from .timing import is_fast_in_bfloat16
