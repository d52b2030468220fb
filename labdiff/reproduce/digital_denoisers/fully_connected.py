"""The fully connected net (paper, A.2)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from labdiff.reproduce.digital_denoisers.denoiser import (
    WORKING_SIZE,
    DigitalDenoiser,
    resize,
)
from labdiff.reproduce.digital_denoisers.time_embedding import TimeEmbedding

LAYERS = 4
"""Number of hidden layers."""
TIME_AFTER = (1, 3)
"""Numbers of the layers after which the time embedding is added."""


class FullyConnectedNet(DigitalDenoiser):
    """Four layers of 1200 units with batch norm and SiLU, and a linear read-out of the noise.

    The image is interpolated to 76 x 76 first; the noise has the image's own size. The paper does not
    state how the embedding gets its 1200 dimensions: here it is sinusoidal.

    Args:
        image_shape: (H, W) of the images.
        width: number of units of a layer.
        working_size: side of the interpolated image.
    """

    architecture = "fully connected net"
    learning_rate = 3e-4

    def __init__(
        self, image_shape: tuple[int, int], width: int = 1200, working_size: int = WORKING_SIZE
    ) -> None:
        super().__init__(image_shape, width=width, working_size=working_size)
        self._working_shape = (working_size, working_size)
        sizes = [working_size**2] + [width] * LAYERS
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(before, after), nn.BatchNorm1d(after), nn.SiLU())
            for before, after in pairwise(sizes)
        )
        self.time = TimeEmbedding(width)
        self.read_out = nn.Linear(width, self.image_shape[0] * self.image_shape[1])

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the predicted noise (B, H, W) for x_t (B, H, W) and t (B,)."""
        values = resize(x_t, self._working_shape).flatten(1)
        embedding = self.time(t)
        for number, layer in enumerate(self.layers, start=1):
            values = layer(values)
            if number in TIME_AFTER:
                values = values + embedding
        noise: Tensor = self.read_out(values).view(-1, *self.image_shape)
        return noise
