"""What MMPose's MpiiDataset lacks: the test set, fast transforms, a crop cache."""

from .crop_cache import cache_crops
from .fast import FastBBoxTransform, FastMSRAHeatmap, TopdownCrop
from .loading import CheckBox, LoadReadableImage, UnreadableImageError, read_image
from .mpii import MpiiTestDataset, MpiiTrainDataset
from .seeded import SeededSamples
from .wrappers import inner_datasets, leaf_datasets, leave_out_unused, whole_pipelines, with_codec
