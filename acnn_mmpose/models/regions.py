"""Region execution: a stage computes only the window that the mask before it keeps.

Shape legend: N batch, C channels, h x w feature map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Window(NamedTuple):
    """The part of one person's feature map that a stage computes, in cells.

    Attributes:
        top: First row.
        left: First column.
        height: Number of rows.
        width: Number of columns.
        kept: Whether the mask keeps anything; where it does not, the stage's output is zero.
    """

    top: int
    left: int
    height: int
    width: int
    kept: bool = True


def find_windows(
    mask: Tensor, outer: Sequence[Window] | None, grid: int, one_size: bool
) -> list[Window] | None:
    """Find the window of every person that the next stage computes.

    It is the bounding box of what the mask keeps, grown to the grid on which the hourglass pools,
    so that the hourglass can halve it and pools together the cells that it would on the whole map.
    A mask that keeps nothing has a window of one grid cell. The masks' boxes are the one thing
    that is copied from the device.

    Args:
        mask: M (N, 1, h, w), zero outside ``outer``; h and w are multiples of ``grid``.
        outer: The windows of the stage that made the mask, which contain the new ones; None: the
            whole map.
        grid: What offsets and sizes are multiples of: ``2 ** depth`` of the hourglass.
        one_size: Grow all windows to the largest of the batch and to at least two grid cells: for
            training, where BatchNorm sees the batch as one and needs several values per channel.

    Returns:
        N windows; None if all of them are the whole map.
    """
    height, width = mask.shape[-2:]
    whole = Window(0, 0, height, width)
    outer = outer or [whole] * len(mask)
    windows = [_grow(*box, around, grid) for box, around in zip(_bounding_boxes(mask), outer)]
    if one_size:
        windows = _share_size(windows, outer, grid)
    return None if all(window == whole for window in windows) else windows


def run_in_windows(
    stage: Callable[[Tensor], Sequence[Tensor | None]],
    x: Tensor,
    mask: Tensor,
    windows: Sequence[Window],
) -> list[Tensor | None]:
    """Run a stage on every person's window, people with windows of one size together.

    Args:
        stage: Maps (n, C, h', w') to tensors (n, ., h', w') or None, h' x w' being any window's
            size.
        x: What the stage before hands on (N, C, h, w).
        mask: M that selects the stage's input from it (N, 1, h, w); zero outside the windows.
        windows: N windows.

    Returns:
        The stage's outputs on the whole map, (N, ., h, w) or None, zero outside the windows.
    """
    people_of_size: dict[tuple[int, int], list[int]] = {}
    for person, window in enumerate(windows):
        people_of_size.setdefault((window.height, window.width), []).append(person)

    maps: list[Tensor | None] = []
    for people in people_of_size.values():
        parts = [_cut(x[n : n + 1], windows[n]) * _cut(mask[n : n + 1], windows[n]) for n in people]
        outputs = stage(parts[0] if len(parts) == 1 else torch.cat(parts))  # Eq. 1
        maps = maps or [
            None if output is None else _blank(output, (len(x), output.shape[1], *x.shape[-2:]))
            for output in outputs
        ]
        for whole, output in zip(maps, outputs):
            if whole is not None and output is not None:
                for n, part in zip(people, output):
                    # times 0, not left out: a distributed run needs all gradients, if only of 0
                    _cut(whole[n], windows[n]).copy_(part if windows[n].kept else part * 0)
    return maps


@contextmanager
def force_window(mask_branches: nn.ModuleList, window: Window) -> Iterator[None]:
    """Make every mask keep exactly one window while the context lasts, to measure what it saves.

    Args:
        mask_branches: Those of the backbone, which still compute their masks.
        window: What is kept, of every person and after every stage.
    """

    def keep_window(branch: nn.Module, args: tuple, mask: Tensor) -> Tensor:
        if mask.shape[-2:] == (window.height, window.width):
            return torch.ones_like(mask)  # the stage ran in this very window
        mask = torch.zeros_like(mask)
        _cut(mask, window).fill_(1)
        return mask

    hooks = [branch.register_forward_hook(keep_window) for branch in mask_branches]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _bounding_boxes(mask: Tensor) -> list[tuple[int, int, int, int]]:
    """Find (top, bottom, left, right) of what each mask keeps, ends exclusive; bottom 0: nothing.

    Args:
        mask: (N, 1, h, w).
    """
    sides = []
    for across in (3, 2):
        kept = mask.detach().amax(dim=(1, across)) > 0  # (N, h), then (N, w)
        index = torch.arange(kept.shape[1], device=mask.device)
        sides.append(torch.where(kept, index, kept.shape[1]).amin(dim=1))
        sides.append(torch.where(kept, index + 1, 0).amax(dim=1))
    return torch.stack(sides, dim=1).tolist()


def _grow(top: int, bottom: int, left: int, right: int, outer: Window, grid: int) -> Window:
    """Grow a bounding box to the grid."""
    if bottom == 0:
        return Window(outer.top, outer.left, grid, grid, kept=False)
    top, left = top // grid * grid, left // grid * grid
    height, width = (-(-length // grid) * grid for length in (bottom - top, right - left))
    return Window(top, left, height, width)


def _share_size(windows: list[Window], outer: Sequence[Window], grid: int) -> list[Window]:
    """Give all windows the size of the largest, moved where they would stick out of their outer."""
    height = max(window.height for window in windows)
    width = max(window.width for window in windows)
    if height == width == grid:  # one cell at the coarsest scale: BatchNorm needs two
        if outer[0].width > grid:
            width += grid
        elif outer[0].height > grid:
            height += grid
    return [
        Window(
            min(window.top, around.top + around.height - height),
            min(window.left, around.left + around.width - width),
            height,
            width,
            window.kept,
        )
        for window, around in zip(windows, outer)
    ]


def _cut(x: Tensor, window: Window) -> Tensor:
    """View the window of (..., h, w)."""
    top, left, height, width, _ = window
    return x[..., top : top + height, left : left + width]


def _blank(like: Tensor, size: Sequence[int]) -> Tensor:
    """Make a channels-last map of zeros of this size, of another's dtype and device."""
    return torch.empty(
        size, dtype=like.dtype, device=like.device, memory_format=torch.channels_last
    ).zero_()
