"""The base network of ACNN: the modules of Newell et al. 2016, "Stacked Hourglass Networks".

Shape legend: N batch, C channels, H x W input image, h x w feature map (H / 4 x W / 4).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


def conv_norm_relu(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
) -> nn.Sequential:
    """Convolution, initialised as in the Torch of Newell's code, then BatchNorm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def norm_relu_conv(
    in_channels: int, out_channels: int, kernel_size: int, bias: bool = False
) -> nn.Sequential:
    """BatchNorm and ReLU, then a convolution ("pre-activation")."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias),
    )


class Residual(nn.Module):
    """Pre-activation bottleneck residual module (Newell et al. 2016, Fig. 4 left).

    The bottleneck has half as many channels as the output. With ``bias`` the last convolution has
    one, which no norm takes away again.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = False) -> None:
        super().__init__()
        width = out_channels // 2
        self.branch = nn.Sequential(
            norm_relu_conv(in_channels, width, 1),
            norm_relu_conv(width, width, 3),
            norm_relu_conv(width, out_channels, 1, bias),
        )
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, h, w) to (N, out_channels, h, w)."""
        return self.shortcut(x) + self.branch(x)


class Hourglass(nn.Module):
    """Bottom-up, top-down module with a skip branch at every scale (Newell et al. 2016, Fig. 3).

    It halves the feature map ``depth`` times, >= 1, with C ``channels`` at every scale.
    """

    def __init__(self, depth: int, channels: int, bias: bool = False) -> None:
        super().__init__()
        self.skip = Residual(channels, channels, bias)
        self.down = nn.Sequential(nn.MaxPool2d(2), Residual(channels, channels, bias))
        deeper = depth > 1
        self.inner = (
            Hourglass(depth - 1, channels, bias) if deeper else Residual(channels, channels, bias)
        )
        self.up = Residual(channels, channels, bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w); h and w must be multiples of ``2 ** depth``."""
        low = self.up(self.inner(self.down(x)))
        return self.skip(x) + F.interpolate(low, scale_factor=2, mode='nearest')


class Stem(nn.Sequential):
    """From the image to the first stage's input at a quarter of the resolution.

    "A 7x7 convolutional layer with stride 2, followed by a residual module and a round of max
    pooling to bring the resolution down from 256 to 64" (paper, Sec. 3.2), then two more residual
    modules as in Newell et al. 2016. (N, 3, H, W) becomes (N, C, H / 4, W / 4). Inside are
    ``widths`` channels, after the first convolution and two residual modules; by default C / 4,
    C / 2 and C / 2, with C = 256 Newell's.
    """

    stride = 4

    def __init__(
        self, channels: int, widths: Sequence[int] | None = None, bias: bool = False
    ) -> None:
        first, second, third = widths or (channels // 4, channels // 2, channels // 2)
        super().__init__(
            conv_norm_relu(3, first, 7, stride=2),
            Residual(first, second, bias),
            nn.MaxPool2d(2),
            Residual(second, third, bias),
            Residual(third, channels, bias),
        )
