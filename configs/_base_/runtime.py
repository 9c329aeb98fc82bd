"""Imports, hooks and logging: MMPose's defaults, and what this package adds.

Hooks are in ``default_hooks``, which configs merge by name: a config that sets ``custom_hooks``
loses none of them, and ``default_hooks = dict(story_board=None)`` leaves one out.
"""

_base_ = ['mmpose::_base_/default_runtime.py']

custom_imports = dict(imports=['acnn_mmpose'], allow_failed_imports=False)

custom_hooks = []  # MMPose's own one is among the others

# pictures show masks and pose; other modes: --cfg-options visualizer.mode=story
visualizer = dict(type='AttentionVisualizer')

default_hooks = dict(
    # one checkpoint per epoch, so that an interruption costs an epoch at most; written whole or not
    checkpoint=dict(
        type='CheckpointAfterValHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='PCK',
        rule='greater',
        backend_args=dict(backend='atomic_local'),
    ),
    # one training at a time in a work dir
    work_dir_lock=dict(type='WorkDirLockHook'),
    # norms' statistics of all processes, in validation and in checkpoints
    sync_buffers=dict(type='SyncAllBuffersHook'),
    # refuses a checkpoint that this phase can't start from
    phase_handover=dict(type='PhaseHandoverHook'),
    # ends a run whose loss is NaN or infinite
    loss_guard=dict(type='LossGuardHook'),
    # names images that could not be read, and ends a run that meets too many
    unreadable_images=dict(type='UnreadableImagesHook'),
    # samples depend on seed, epoch and their place in it only, so that a resumed run repeats them
    sample_seed=dict(type='SampleSeedHook'),
    # the paper's table of every evaluation, as json and md beside the log
    pckh_table=dict(type='PCKhTableHook'),
    # what the masks keep, and the gradients of task A and task B
    attention_stats=dict(type='AttentionStatsHook'),
    # the same few people after every validation: vis_data/vis_image/stories_EPOCH.png
    story_board=dict(type='StoryBoardHook'),
)
