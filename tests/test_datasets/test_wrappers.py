from __future__ import annotations

from acnn_mmpose.datasets import with_codec

import pytest


@pytest.mark.parametrize(
    ('kind', 'encoder'), [('MSRAHeatmap', 'FastMSRAHeatmap'), ('UDPHeatmap', 'UDPHeatmap')]
)
def test_a_pipeline_is_made_for_another_codec(kind, encoder):
    pipeline = [
        dict(type='LoadReadableImage'),
        dict(type='TopdownCrop', input_size=(256, 256), use_udp=True),
        dict(type='GenerateTarget', encoder=dict(type='FastMSRAHeatmap', sigma=1)),
    ]
    codec = dict(type=kind, input_size=(96, 128), heatmap_size=(24, 32), sigma=2)
    assert with_codec(pipeline, codec) == [
        dict(type='LoadReadableImage'),
        dict(type='TopdownCrop', input_size=(96, 128), use_udp=True),
        dict(type='GenerateTarget', encoder={**codec, 'type': encoder}),
    ]
    assert pipeline[1]['input_size'] == (256, 256)
