"""A network of useful size for some thousand photographs: 4 stages, 3 masks, 96 channels, 160x160.

Trained on people of MPII and of Leeds Sports Pose Extended (LSPET, in MPII's layout), as many of
one as of the other if they are 2,074 (a part of MPII) and 4,800, for which the network was sized;
with other numbers, set sample_ratio_factor. Their folders are what the environment variables
ACNN_DATA_ROOT and ACNN_LSPET_ROOT say. Without LSPET: tools/train.py ... --cfg-options
train_dataloader.dataset.sample_ratio_factor="[1,0]".
"""

_base_ = ['../../_base_/acnn_mpii_256x256.py']

# below _base_: a config that imports before it is taken for another kind by MMEngine
from acnn_mmpose.datasets import with_codec

lspet_root = '{{$ACNN_LSPET_ROOT:data/lspet_mpii/}}'

codec = dict(type='MSRAHeatmap', input_size=(160, 160), heatmap_size=(40, 40), sigma=1)

model = dict(
    backbone=dict(channels=96, depth=3),
    head=dict(in_channels=96, decoder=codec),
)

train_pipeline = with_codec([*_base_.augment, *_base_.encode], codec)
val_pipeline = with_codec(_base_.val_pipeline, codec)

people = dict(
    type='MpiiTrainDataset',
    data_mode=_base_.data_mode,
    ann_file='annotations/mpii_train.json',
    data_prefix=dict(img='images/'),
    pipeline=_base_.load,  # here, because it is the data set that passes over unreadable images
)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
        datasets=[
            dict(people, data_root=_base_.data_root),
            dict(people, data_root=lspet_root),
        ],
        # 2,074 of MPII and 4,800 of LSPET: as many of each in every epoch
        sample_ratio_factor=[1, 0.432],
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
val_evaluator = [_base_.val_evaluator, dict(type='MaskCoverage')]
test_evaluator = val_evaluator

# not the paper's RMSprop
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=2e-3))
# of phases that name their last epoch, `end`: the rate falls to nearly 0, step by step
falling = dict(
    type='LinearLR',
    start_factor=1.0,
    end_factor=0.01,
    begin=0,
    by_epoch=True,
    convert_to_iter_based=True,
)

# what is tested and published: weights averaged over the last 200 steps or so
default_hooks = dict(ema=dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=5e-3))

randomness = dict(seed=0)

auto_scale_lr = dict(base_batch_size=16)
