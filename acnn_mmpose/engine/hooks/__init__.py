"""What happens beside the training steps, one hook per file."""

from .attention_stats import AttentionStatsHook
from .checkpoint import CheckpointAfterValHook
from .deploy import DeployHook
from .loss_guard import LossGuardHook
from .phase_handover import PhaseHandoverHook
from .sample_seed import SampleSeedHook
from .story_board import StoryBoardHook
from .sync_buffers import SyncAllBuffersHook
from .unreadable_images import UnreadableImagesHook
from .work_dir_lock import WorkDirLockHook
