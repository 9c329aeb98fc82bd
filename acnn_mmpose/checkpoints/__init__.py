"""Checkpoints: loaded safely, compared with the network, published."""

from .load import latest_checkpoint, load_from_local, load_url
from .publish import publish_checkpoint
from .validate import check_checkpoint
