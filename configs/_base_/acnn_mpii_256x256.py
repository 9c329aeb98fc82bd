"""The network of the paper on MPII: all that its three training phases have in common."""

_base_ = ['runtime.py', 'mpii.py']

model = dict(
    type='ACNN',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='AttentionHourglassNet', num_stages=4, channels=256, depth=4, mask_mode='hard'
    ),
    head=dict(
        type='ACNNHead', in_channels=256, out_channels=16, num_stages=4, decoder=_base_.codec
    ),
    # output_stages: the table shows what each stage's prediction scores; output_attention: every
    # way to predict can show the masks
    test_cfg=dict(
        flip_test=True,
        flip_mode='heatmap',
        shift_heatmap=True,
        output_stages=True,
        output_attention=True,
    ),
)

# "We use RMSProp", "a minibatch size of 12 (6 per GPU)"; alpha as in Torch, which the paper used
# foreach: all weights in a few calls instead of one by one, to the same bits
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='RMSprop', alpha=0.99, foreach=True))
auto_scale_lr = dict(base_batch_size=12)
