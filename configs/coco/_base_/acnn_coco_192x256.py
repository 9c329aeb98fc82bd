"""The network of the paper on people of COCO: 17 joints, 192x256 (width x height).

The data root is `data/coco/`, or what the environment variable ACNN_DATA_ROOT says. Evaluation
takes the annotated boxes; with a detector's:
--cfg-options test_dataloader.dataset.bbox_file=PATH_OF_DETECTIONS.json.
"""

_base_ = ['../../_base_/acnn_mpii_256x256.py']

# below _base_: a config that imports before it is taken for another kind by MMEngine
from acnn_mmpose.datasets import with_codec

dataset_type = 'CocoDataset'
data_root = '{{$ACNN_DATA_ROOT:data/coco/}}'

# sigma of two heatmap pixels as in MMPose's configs of this size
codec = dict(type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)

model = dict(head=dict(out_channels=17, decoder=codec))

train_pipeline = with_codec(_base_.train_pipeline, codec)
val_pipeline = with_codec(_base_.val_pipeline, codec)

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root=data_root,
        data_mode=_base_.data_mode,
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root=data_root,
        data_mode=_base_.data_mode,
        ann_file='annotations/person_keypoints_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=val_pipeline,
    )
)
test_dataloader = val_dataloader

val_evaluator = dict(
    _delete_=True,
    type='CocoMetric',
    ann_file=f'{data_root}/annotations/person_keypoints_val2017.json',
)
test_evaluator = val_evaluator

default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
