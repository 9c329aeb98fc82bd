"""How fast and how large the network is, beside others, on this machine."""

from .groups import GROUPS
from .report import describe_machine, to_json, to_text
from .run import run_benchmark
from .setup import Setup, make_setup
