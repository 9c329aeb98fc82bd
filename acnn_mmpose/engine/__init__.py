"""Training: configs, the phase hand-over, several phases in order, distributed start-up."""

from .configuration import (
    check_data,
    disable_validation,
    dump_predictions,
    enable_amp,
    load_config,
    set_checkpoint,
    show_predictions,
    use_test_set,
)
from .launch import set_launcher
from .phase_handover import PhaseHandoverHook
from .sequence import train_in_order

__all__ = [
    'PhaseHandoverHook',
    'check_data',
    'disable_validation',
    'dump_predictions',
    'enable_amp',
    'load_config',
    'set_checkpoint',
    'set_launcher',
    'show_predictions',
    'train_in_order',
    'use_test_set',
]
