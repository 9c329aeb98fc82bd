"""What MMPose's MPII pipeline lacks."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ZeroBasedKeypoints(BaseTransform):
    """Shift MPII's 1-based joints to 0-based pixels; for training pipelines only.

    :class:`MpiiDataset` shifts the person's center but not the joints, while
    :class:`MpiiPCKAccuracy` adds 1 to predictions. A network that is trained on the joints as they
    come is therefore off by one pixel in x and y. Validation must see the joints as they come.

    Required and modified key: ``keypoints`` (1, K, 2), float, pixels.
    """

    def transform(self, results: dict) -> dict:
        """Subtract 1 from x and y of every joint."""
        results['keypoints'] = results['keypoints'] - 1
        return results
