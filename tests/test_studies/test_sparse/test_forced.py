from __future__ import annotations

from studies.sparse.forced import compare_shares, forced_pass, person_masks
from studies.speed import measure_tables, to_text
from studies.speed.deployed import deployed_pass

import torch
from torch.utils.flop_counter import FlopCounterMode


def test_every_share_has_a_row(setup):
    (table,) = measure_tables([compare_shares(setup, 1, torch.float32)], 0)
    rows = to_text(table).splitlines()
    assert rows[0].startswith('Forward pass, forced masks, deployed in float32, batch of 1')
    assert [row.split('%')[0] for row in rows[3:]] == [
        f'sparse, {share}' for share in (15, 20, 30, 40, 50, 66)
    ]


def test_sparse_stages_compute_what_is_kept(setup):
    """Of the stages after the first: all but the coarse levels and the heatmaps."""

    def flops(build, *kept):
        with FlopCounterMode(display=False) as counter:
            build(setup, 2, torch.float32, *kept)()
        return counter.get_total_flops()

    dense = flops(deployed_pass)
    half, nothing = flops(forced_pass, 0.5), flops(forced_pass, 0)
    assert nothing < half < dense
    assert 0.4 < (half - nothing) / (dense - nothing) < 0.7


def test_masks_keep_a_share_around_points():
    masks = person_masks(3, 16, 24, 0.25)
    assert masks.shape == (3, 1, 16, 24)
    assert masks.sum(dim=(1, 2, 3)).tolist() == [96, 96, 96]
    assert masks.unique().tolist() == [0, 1]
    assert not torch.equal(masks[0], masks[1])
