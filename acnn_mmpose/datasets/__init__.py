"""What MMPose's MpiiDataset lacks: the test set, fast transforms, a crop cache."""

from .crop import TopdownCrop
from .crop_cache import cache_crops
from .fast import FastBBoxTransform, FastMSRAHeatmap
from .loading import CheckBox, LoadReadableImage, UnreadableImageError, read_image
from .mpii_test import MpiiTestDataset
from .mpii_train import MpiiTrainDataset
from .seeded import SeededSamples
from .with_codec import with_codec
from .wrappers import inner_datasets, leaf_datasets, leave_out_unused, whole_pipelines
