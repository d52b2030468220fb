"""What both digital peers have in common: their interface and how images change their size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

WORKING_SIZE = 76
"""Side of the picture that the peers work on (paper, A.2): twice halved it is 19."""


class DigitalDenoiser(nn.Module, ABC):
    """A net that predicts the noise: (x_t (B, H, W), t (B,)) -> (B, H, W), in standard deviations.

    architecture: its name, in files and tables. learning_rate: Adam's, the better of a few in short
    trials (docs/reproduce.md), not tuned. settings: the arguments that build it
    again, plain values. image_shape: (H, W).
    """

    architecture: ClassVar[str]
    learning_rate: ClassVar[float]

    def __init__(self, image_shape: tuple[int, int], **settings: Any) -> None:
        super().__init__()
        self.image_shape = (image_shape[0], image_shape[1])
        self.settings: dict[str, Any] = {"image_shape": list(self.image_shape), **settings}

    @abstractmethod
    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Predicted noise (B, H, W)."""


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (B, H, W) at another size, by bilinear interpolation."""
    if images.shape[1:] == size:
        return images
    return nn.functional.interpolate(images[:, None], size, mode="bilinear")[:, 0]
