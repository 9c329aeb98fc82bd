"""Control of the reference network: phase 1 trained on for as long as phases 2 and 3 take.

tools/train.py configs/reference/hourglass.py --cfg-options load_from=PHASE_1_CHECKPOINT
"""

_base_ = ['acnn_phase3.py']

model = dict(phase='pose', norm_eval=False, head=dict(coverage_loss=None))

train_cfg = dict(max_epochs=7)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1.0,
        end_factor=0.01,
        begin=0,
        end=7,
        by_epoch=True,
        convert_to_iter_based=True,
    )
]
