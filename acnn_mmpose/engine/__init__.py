"""Training: configs, hooks, phases in order, distributed start-up."""

from . import hooks
from .configuration import (
    disable_validation,
    dump_predictions,
    load_config,
    merge_options,
    read_config,
    show_predictions,
    use_test_set,
)
from .data_check import check_data
from .launch import end_process_group, set_launcher
from .mixed_precision import CpuAmpOptimWrapper, amp_dtype, enable_amp
from .prediction import load_model
from .train_phases import train_in_order
from .worker_errors import explain_worker_errors
