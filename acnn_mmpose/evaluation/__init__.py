"""The paper's table, logs, prediction files."""

from .mask_coverage import MaskCoverage
from .metric import MpiiPCKhTable, PCKhTableHook
from .predictions import DumpPredictions, evaluate_file
from .run_log import Curves, RunLog, compare_runs, read_run
from .table import format_text, published_rows, save_table
