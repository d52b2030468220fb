"""The U-Net (paper, A.2).

The paper states: 2 down, 1 bottleneck, 2 up, 32 3x3 convolutions, SiLU, time embedding, batch norm,
76 x 76. Here this is:

    in  conv                        1        76 x 76
    down 1, down 2                  2 x 6    76 x 76, 38 x 38: three residual blocks of two, then pooled
    bottleneck                      6        19 x 19
    up 2, up 1                      2 x 6    38 x 38, 76 x 76: with the skip connection
    out conv                        1        76 x 76

These are 32; halving, doubling, shortcuts between unequal channel numbers and the time have none. Channels
are not printed. 16, 32, 64 is the widest doubling row that the paper's own rate allows: 13.9 images a
second of 1,000 steps are 12 TFLOP/s then, and four times that with 32, 64, 128, where an NVIDIA L4 has 30.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from labdiff.reproduce.digital_denoisers.denoiser import (
    WORKING_SIZE,
    DigitalDenoiser,
    resize,
)
from labdiff.reproduce.digital_denoisers.time_embedding import TimeEmbedding

BLOCKS = 3
"""Number of residual blocks of a stage."""


class UNet(DigitalDenoiser):
    """Two stages down, a bottleneck, two stages up.

    Args:
        image_shape: (H, W) of the images.
        channels: number of channels at full size, doubled with every halving.
        working_size: side of the image inside the net.
        time_dimensions: number of dimensions of the time embedding.

    Raises:
        ValueError: working_size cannot be halved twice.
    """

    architecture = "U-Net"
    learning_rate = 4e-3

    def __init__(
        self,
        image_shape: tuple[int, int],
        channels: int = 16,
        working_size: int = WORKING_SIZE,
        time_dimensions: int = 64,
    ) -> None:
        super().__init__(
            image_shape,
            channels=channels,
            working_size=working_size,
            time_dimensions=time_dimensions,
        )
        if working_size % 4:
            raise ValueError(f"U-Net: working_size {working_size}; needs a multiple of 4")
        self._working_shape = (working_size, working_size)
        wide, wider = 2 * channels, 4 * channels
        self.time = nn.Sequential(
            TimeEmbedding(time_dimensions), nn.Linear(time_dimensions, time_dimensions), nn.SiLU()
        )
        self.into = nn.Conv2d(1, channels, 3, padding=1)
        self.down_1 = UNetStage(channels, channels, time_dimensions)
        self.down_2 = UNetStage(channels, wide, time_dimensions)
        self.bottleneck = UNetStage(wide, wider, time_dimensions)
        self.up_2 = UNetStage(wider + wide, wide, time_dimensions)
        self.up_1 = UNetStage(wide + channels, channels, time_dimensions)
        self.out = nn.Conv2d(channels, 1, 3, padding=1)
        self.shrink = nn.AvgPool2d(2)
        self.enlarge = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the predicted noise (B, H, W) for x_t (B, H, W) and t (B,)."""
        time = self.time(t)
        fine = self.down_1(self.into(resize(x_t, self._working_shape)[:, None]), time)
        coarse = self.down_2(self.shrink(fine), time)
        values = self.bottleneck(self.shrink(coarse), time)
        values = self.up_2(torch.cat([self.enlarge(values), coarse], 1), time)
        values = self.up_1(torch.cat([self.enlarge(values), fine], 1), time)
        return resize(self.out(values)[:, 0], self.image_shape)


class UNetStage(nn.Module):
    """Residual blocks at one size of the image.

    Args:
        before: number of channels of the input.
        after: number of channels of the output.
        time_dimensions: number of dimensions of the time embedding.
    """

    def __init__(self, before: int, after: int, time_dimensions: int) -> None:
        super().__init__()
        channels = [before] + [after] * BLOCKS
        self.blocks = nn.ModuleList(
            ResidualBlock(channels[i], channels[i + 1], time_dimensions) for i in range(BLOCKS)
        )

    def forward(self, values: Tensor, time: Tensor) -> Tensor:
        """Return (B, after, h, w) for (B, before, h, w) and the embedded time (B, time_dimensions)."""
        for block in self.blocks:
            values = block(values, time)
        return values


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, the time added between them, and a shortcut around both (Ho 2020).

    Args:
        before: number of channels of the input.
        after: number of channels of the output.
        time_dimensions: number of dimensions of the time embedding.
    """

    def __init__(self, before: int, after: int, time_dimensions: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.SiLU()
        )
        self.time_layer = nn.Linear(time_dimensions, after)
        self.second = nn.Sequential(
            nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.SiLU()
        )
        self.shortcut = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, values: Tensor, time: Tensor) -> Tensor:
        """Return (B, after, h, w) for (B, before, h, w) and the embedded time (B, time_dimensions)."""
        inner = self.first(values) + self.time_layer(time)[:, :, None, None]
        result: Tensor = self.shortcut(values) + self.second(inner)
        return result
