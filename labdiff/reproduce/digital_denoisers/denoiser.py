"""The interface of the digital denoisers, and the resizing of their images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

WORKING_SIZE = 76
"""Side of the image inside the nets (paper, A.2), pixels; halved twice it is 19."""


class DigitalDenoiser(nn.Module, ABC):
    """A net that predicts the noise: (x_t (B, H, W), t (B,)) -> (B, H, W), in standard deviations.

    architecture: its name, in files and tables. learning_rate: Adam's, the best of a few in short
    trials (docs/reproduce.md), not tuned. settings: the arguments of the constructor, plain values.
    image_shape: (H, W).
    """

    architecture: ClassVar[str]
    learning_rate: ClassVar[float]

    def __init__(self, image_shape: tuple[int, int], **settings: object) -> None:
        super().__init__()
        self.image_shape = (image_shape[0], image_shape[1])
        self.settings: dict[str, object] = {"image_shape": list(self.image_shape), **settings}

    @abstractmethod
    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the predicted noise (B, H, W) for x_t (B, H, W) and t (B,)."""


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize images (B, H, W) by bilinear interpolation."""
    if images.shape[1:] == size:
        return images
    return nn.functional.interpolate(images[:, None], size, mode="bilinear")[:, 0]
