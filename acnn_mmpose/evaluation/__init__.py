"""The paper's table, logs, prediction files."""

from .compare import compare_runs
from .dump import DumpPredictions
from .metric import MpiiPCKhTable, PCKhTableHook
from .predictions import evaluate_file
from .run_log import Curves, RunLog, read_run
from .table import format_text, published_rows, save_table
