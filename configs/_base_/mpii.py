"""MPII for a 256x256 input: MMPose's dataset, augmentation and PCKh, with the paper's table.

The data root is `data/mpii/`, or what the environment variable ACNN_DATA_ROOT says.
"""

dataset_type = 'MpiiDataset'
data_mode = 'topdown'
data_root = '{{$ACNN_DATA_ROOT:data/mpii/}}'

# sigma of one heatmap pixel as in Newell et al. 2016
codec = dict(type='MSRAHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma=1)

# Parts of pipelines have names, so that a config can take one without counting. Fast... and
# TopdownCrop give the output of MMPose's transforms sooner. For another codec: with_codec.
load = [dict(type='LoadReadableImage')]  # crop_cache='...' reads people from disk: performance.md
augment = [
    dict(type='GetBBoxCenterScale'),
    dict(type='RandomFlip', direction='horizontal'),
    # "rotation (+/- 30 degrees), and scaling (.75-1.25)", Newell et al. 2016, Sec. 4.1
    dict(type='FastBBoxTransform', shift_prob=0, scale_factor=(0.75, 1.25), rotate_factor=30),
]
encode = [
    dict(type='TopdownCrop', input_size=codec['input_size']),
    dict(type='GenerateTarget', encoder={**codec, 'type': 'FastMSRAHeatmap'}),
    dict(type='PackPoseInputs'),
]
train_pipeline = [*load, *augment, *encode]
val_pipeline = [
    *load,
    dict(type='CheckBox'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    batch_size=6,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='MpiiTrainDataset',  # joints from 0; passes over a few unreadable images
        data_root=data_root,
        data_mode=data_mode,
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_mode=data_mode,
        ann_file='annotations/mpii_val.json',
        headbox_file=f'{data_root}/annotations/mpii_gt_val.mat',
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader

# MpiiPCKAccuracy and the paper's table; published=True adds the rows of the paper's Table 1
val_evaluator = dict(type='MpiiPCKhTable')
test_evaluator = val_evaluator
