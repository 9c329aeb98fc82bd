"""Training: configs, hooks, phases in order, safe files, distributed start-up."""

from .atomic_backend import AtomicLocalBackend
from .attention_stats import AttentionStatsHook
from .configuration import (
    check_data,
    deploy_for_test,
    disable_validation,
    dump_predictions,
    enable_amp,
    load_config,
    make_work_dir,
    set_checkpoint,
    show_predictions,
    use_test_set,
)
from .deploy_hook import DeployHook
from .launch import set_launcher
from .loss_guard import LossGuardHook
from .phase_handover import PhaseHandoverHook
from .prediction import load_model
from .sample_seed import SampleSeedHook
from .sequence import train_in_order
from .story_board import StoryBoardHook

__all__ = [
    'AtomicLocalBackend',
    'AttentionStatsHook',
    'DeployHook',
    'LossGuardHook',
    'PhaseHandoverHook',
    'SampleSeedHook',
    'StoryBoardHook',
    'check_data',
    'deploy_for_test',
    'disable_validation',
    'dump_predictions',
    'enable_amp',
    'load_config',
    'load_model',
    'make_work_dir',
    'set_checkpoint',
    'set_launcher',
    'show_predictions',
    'train_in_order',
    'use_test_set',
]
