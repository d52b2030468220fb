"""The architectures of the digital denoisers, by name."""

from __future__ import annotations

from typing import Any

import torch

from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.reproduce.digital_denoisers.fully_connected import FullyConnectedNet
from labdiff.reproduce.digital_denoisers.unet import UNet

ARCHITECTURES: dict[str, type[FullyConnectedNet] | type[UNet]] = {
    net.architecture: net for net in (FullyConnectedNet, UNet)
}
"""The classes of the nets, by name."""


def build_denoiser(
    architecture: str, image_shape: tuple[int, int], seed: int = 0, **settings: Any
) -> DigitalDenoiser:
    """Build an untrained net.

    Args:
        architecture: its name.
        image_shape: (H, W) of the images.
        seed: of the initial weights.
        **settings: sizes other than the paper's: arguments of the net's class.

    Raises:
        KeyError: the architecture is unknown.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[architecture](image_shape, **settings)
