"""A small network on a small data root in MPII's layout."""

from tests.test_evaluation.conftest import cfg, checkpoint, mpii_root  # noqa: F401
