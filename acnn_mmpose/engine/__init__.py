"""Training: configs, hooks, phases in order, safe files, distributed start-up."""

from .atomic_backend import AtomicLocalBackend
from .attention_stats import AttentionStatsHook
from .checkpoint_hook import ScoredCheckpointHook
from .clock import ClockHook
from .configuration import (
    deploy_for_test,
    disable_validation,
    dump_predictions,
    load_config,
    make_work_dir,
    merge_options,
    read_config,
    set_checkpoint,
    show_predictions,
    use_test_set,
)
from .data_check import check_data
from .deploy_hook import DeployHook
from .failures import explain_failures
from .launch import end_process_group, set_launcher
from .loss_guard import LossGuardHook
from .mixed_precision import CpuAmpOptimWrapper, amp_dtype, enable_amp
from .phase_handover import PhaseHandoverHook
from .prediction import load_model
from .publish import publish_checkpoint
from .sample_seed import SampleSeedHook
from .sequence import train_in_order
from .story_board import StoryBoardHook
from .unreadable_images import UnreadableImagesHook

__all__ = [
    'AtomicLocalBackend',
    'AttentionStatsHook',
    'ClockHook',
    'CpuAmpOptimWrapper',
    'DeployHook',
    'LossGuardHook',
    'PhaseHandoverHook',
    'SampleSeedHook',
    'ScoredCheckpointHook',
    'StoryBoardHook',
    'UnreadableImagesHook',
    'amp_dtype',
    'check_data',
    'deploy_for_test',
    'disable_validation',
    'dump_predictions',
    'enable_amp',
    'end_process_group',
    'explain_failures',
    'load_config',
    'load_model',
    'make_work_dir',
    'merge_options',
    'publish_checkpoint',
    'read_config',
    'set_checkpoint',
    'set_launcher',
    'show_predictions',
    'train_in_order',
    'use_test_set',
]
