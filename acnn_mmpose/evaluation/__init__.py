"""The paper's table, prediction files, and the submission to MPII's benchmark."""

from .compare import compare_runs
from .metric import MpiiPCKhTable, PCKhTableHook
from .predictions import evaluate_file
from .submission import MpiiSubmission
from .table import format_text, published_rows, save_table

__all__ = [
    'MpiiPCKhTable',
    'MpiiSubmission',
    'PCKhTableHook',
    'compare_runs',
    'evaluate_file',
    'format_text',
    'published_rows',
    'save_table',
]
