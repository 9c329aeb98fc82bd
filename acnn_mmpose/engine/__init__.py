"""Training: configs, hooks, phases in order, safe files, distributed start-up."""

from .atomic_backend import AtomicLocalBackend
from .attention_stats import AttentionStatsHook
from .clock import ClockHook
from .configuration import (
    check_data,
    disable_validation,
    dump_predictions,
    enable_amp,
    load_config,
    make_work_dir,
    set_checkpoint,
    show_predictions,
    use_test_set,
)
from .launch import set_launcher
from .loss_guard import LossGuardHook
from .phase_handover import PhaseHandoverHook
from .prediction import load_model
from .publish import publish_checkpoint
from .sample_seed import SampleSeedHook
from .sequence import train_in_order
from .story_board import StoryBoardHook

__all__ = [
    'AtomicLocalBackend',
    'AttentionStatsHook',
    'ClockHook',
    'LossGuardHook',
    'PhaseHandoverHook',
    'SampleSeedHook',
    'StoryBoardHook',
    'check_data',
    'disable_validation',
    'dump_predictions',
    'enable_amp',
    'load_config',
    'load_model',
    'make_work_dir',
    'publish_checkpoint',
    'set_checkpoint',
    'set_launcher',
    'show_predictions',
    'train_in_order',
    'use_test_set',
]
