"""Sparse stages: a stage computes only the cells that the mask before it keeps.

The definition, with M the mask before the stage (N, 1, h, w), M' its max-pooling to half of the
resolution, and R(x; M) a residual module on kept cells:

- R(x; M) = M * (shortcut(x) + branch(x)), with the input of the branch's 3x3 convolution
  multiplied by M too: a norm and a ReLU make of 0 another value, which neighbours must not see.
- The hourglass and the residual after it are R with M at full resolution and R with M' at half of
  it; maps between the two are multiplied by the mask of theirs. Coarser levels are dense.
- f(y) and the next mask are multiplied by M. So masks nest: what is discarded once stays so.
- A norm that trains takes its statistics from kept cells alone (the others do not exist), and its
  running ones where fewer than two are kept.
- M itself has a gradient where it selects the stage's input (Eq. 1), in kept cells, and where it
  selects the stage's heatmaps (Eq. 4); in all else it is a constant. A discarded cell makes
  nothing: masks need a loss of their own to learn what opening it would bring.

Two forms compute this, with equal results and gradients: :class:`MaskedMaps` on maps in full, and
:class:`KeptRows`, which is faster where masks keep little. Neither needs a compiler.

Shape legend: N batch, C channels, h x w feature map, n kept cells of all people together.
"""

from __future__ import annotations

from functools import cached_property
from typing import cast

from acnn_mmpose.models import MaskBranch, binarise
from acnn_mmpose.models.hourglass import Hourglass, Residual

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPARSE_LEVELS = 2  # of an hourglass in kept cells only: full and half resolution
DENSE_ABOVE = 0.66  # of a batch's cells: where more are kept, maps in full are faster
ROWS_AT_ONCE = 4096  # whose neighbours are copied: all of a large batch would not fit a cache


def run_sparse_stage(
    theta: nn.Module,
    projection: nn.Module,
    mask_branch: MaskBranch | None,
    x: Tensor,
    mask: Tensor,
) -> tuple[Tensor, Tensor | None]:
    """Run a stage in the cells that a mask keeps.

    Args:
        theta: The stage's hourglass and residual module.
        projection: f of Eq. 1.
        mask_branch: f_c of Eq. 2; None: the stage has none.
        x: What the stage before hands on (N, C, h, w), not yet masked.
        mask: Its mask (N, 1, h, w), each value 0 or 1.

    Returns:
        Feature f(y) (N, C, h, w) and mask (N, 1, h, w) or None, both 0 in discarded cells.
    """
    kept = mask > 0
    form = MaskedMaps(kept) if kept.float().mean() > DENSE_ABOVE else KeptRows(kept)
    hourglass, residual = cast('tuple[Hourglass, Residual]', theta.children())
    x = form.enter(x) * form.enter(mask)  # Eq. 1
    y = x + form.residual(residual, _run_hourglass(hourglass, x, form, SPARSE_LEVELS))
    feature = form.leave(form.run(projection, y))
    if mask_branch is None:
        return feature, None
    y = y.detach() if mask_branch.detached else y
    logit = form.run(mask_branch.logit, form.run(mask_branch.hidden, y))
    return feature, form.leave(binarise(logit.sigmoid()))  # Eq. 2


def _run_hourglass(hourglass: Hourglass, x: Tensor, form: MaskedMaps, levels: int) -> Tensor:
    """Run an hourglass whose ``levels`` finest levels are sparse; x and the result as ``form``."""
    if levels == 1:
        low = hourglass.up(hourglass.inner(hourglass.down(form.leave(x))))
        low = form.enter(F.interpolate(low, scale_factor=2, mode='nearest'))
    else:
        half = form.half
        low = half.residual(cast(Residual, hourglass.down[1]), form.pool(x))
        if isinstance(hourglass.inner, Residual):
            low = half.residual(hourglass.inner, low)
        else:
            low = _run_hourglass(hourglass.inner, low, half, levels - 1)
        low = form.upsample(half.residual(hourglass.up, low))
    return form.residual(hourglass.skip, x) + low


class MaskedMaps:
    """Features of one resolution as maps (N, C, h, w), multiplied by the mask.

    Args:
        kept: Which cells are kept, (N, 1, h, w), bool.
    """

    def __init__(self, kept: Tensor) -> None:
        self.kept = kept

    @cached_property
    def half(self) -> MaskedMaps:
        """The form of half the resolution, which keeps a cell if any of its four is kept."""
        return type(self)(F.max_pool2d(self.kept.float(), 2) > 0)

    def run(self, module: nn.Module, x: Tensor) -> Tensor:
        """Run a chain of layers, whether or not its norms have been folded."""
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                x = self.convolve(layer, x)
            elif isinstance(layer, nn.BatchNorm2d):
                x = self.normalise(layer, x)
            elif not isinstance(layer, nn.Sequential):
                x = layer(x)
        return x

    def residual(self, module: Residual, x: Tensor) -> Tensor:
        """R(x; M)."""
        return self.clear(self.run(module.shortcut, x) + self.run(module.branch, x))

    def clear(self, x: Tensor) -> Tensor:
        """Set discarded cells to 0, if there are any in this form."""
        return x * self.kept

    def enter(self, x: Tensor) -> Tensor:
        """Take features out of a map (N, C, h, w)."""
        return x * self.kept

    def leave(self, x: Tensor) -> Tensor:
        """Make a map (N, C, h, w) of features, 0 in discarded cells."""
        return x * self.kept

    def pool(self, x: Tensor) -> Tensor:
        """Max-pool to features of ``half``."""
        return F.max_pool2d(x, 2)

    def upsample(self, low: Tensor) -> Tensor:
        """Upsample features of ``half``."""
        return F.interpolate(low, scale_factor=2, mode='nearest') * self.kept

    def convolve(self, layer: nn.Conv2d, x: Tensor) -> Tensor:
        """Run a convolution, whose neighbouring cells are 0 where they are discarded."""
        return layer(x if layer.kernel_size == (1, 1) else x * self.kept)

    def normalise(self, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
        """Run a norm, with the statistics of kept cells."""
        if not norm.training:
            return norm(x)
        rows = x.movedim(1, -1)[self.kept[:, 0]]
        if len(rows) < 2:
            return _batch_norm(norm, x, training=False)
        with torch.no_grad():
            _batch_norm(norm, rows, training=True)  # for the running statistics
        var, mean = torch.var_mean(rows.float(), dim=0, correction=0)
        scale = norm.weight * (var + norm.eps).rsqrt()
        shift = norm.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(x.dtype)


class KeptRows(MaskedMaps):
    """Features as rows (n, C), one per kept cell, person by person."""

    def __init__(self, kept: Tensor) -> None:
        super().__init__(kept)
        self.cells = kept.flatten().nonzero()[:, 0]

    @cached_property
    def numbers(self) -> Tensor:
        """Which row a cell is (N, h, w); n, a row of zeros to append, if not kept."""
        count = len(self.cells)
        numbers = self.cells.new_full((self.kept.numel(),), count)
        numbers[self.cells] = torch.arange(count, device=numbers.device)
        return numbers.view(self.kept[:, 0].shape)

    @cached_property
    def neighbours(self) -> Tensor:
        """The rows of the 3x3 cells around every kept cell (n, 9)."""
        padded = F.pad(self.numbers, (1, 1, 1, 1), value=len(self.cells))
        return padded.unfold(1, 3, 1).unfold(2, 3, 1)[self.kept[:, 0]].flatten(1)

    def clear(self, x: Tensor) -> Tensor:
        """Return the rows, none of which is discarded."""
        return x

    def enter(self, x: Tensor) -> Tensor:
        """Take features out of a map (N, C, h, w)."""
        return x.movedim(1, -1).flatten(0, 2).index_select(0, self.cells)

    def leave(self, x: Tensor) -> Tensor:
        """Make a map (N, C, h, w) of features, 0 in discarded cells."""
        cells = x.new_zeros(self.kept.numel(), x.shape[1]).index_copy(0, self.cells, x)
        return cells.view(*self.kept[:, 0].shape, -1).movedim(-1, 1)

    def pool(self, x: Tensor) -> Tensor:
        """Max-pool the 2x2 cells in every kept cell of ``half``."""
        children = self.numbers.unfold(1, 2, 2).unfold(2, 2, 2)[self.half.kept[:, 0]].flatten(1)
        return _pick(_append_zeros(x), children).amax(dim=1)

    def upsample(self, low: Tensor) -> Tensor:
        """Upsample features of ``half``."""
        numbers = cast(KeptRows, self.half).numbers
        numbers = numbers.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
        return low.index_select(0, numbers[self.kept[:, 0]])

    def convolve(self, layer: nn.Conv2d, x: Tensor) -> Tensor:
        """Run a 1x1 or 3x3 convolution as a matrix product."""
        weight = layer.weight.movedim(1, -1).flatten(1)  # taps, then channels
        if layer.kernel_size == (1, 1):
            return F.linear(x, weight, layer.bias)
        x = _append_zeros(x)
        parts = self.neighbours.split(ROWS_AT_ONCE)
        return torch.cat([F.linear(_pick(x, p).flatten(1), weight, layer.bias) for p in parts])

    def normalise(self, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
        """Run a norm, with the statistics of kept cells."""
        return _batch_norm(norm, x, norm.training and len(x) > 1)


def _append_zeros(rows: Tensor) -> Tensor:
    """Append the row that stands for discarded cells."""
    return F.pad(rows, (0, 0, 0, 1))


def _pick(rows: Tensor, index: Tensor) -> Tensor:
    """Pick rows (n, C) by an index (m, k): (m, k, C)."""
    return rows.index_select(0, index.flatten()).view(*index.shape, rows.shape[1])


def _batch_norm(norm: nn.BatchNorm2d, x: Tensor, training: bool) -> Tensor:
    """Run a norm on (n, C) or (N, C, h, w), which the module takes one of."""
    statistics = norm.running_mean, norm.running_var
    return F.batch_norm(
        x, *statistics, norm.weight, norm.bias, training, norm.momentum or 0.0, norm.eps
    )
