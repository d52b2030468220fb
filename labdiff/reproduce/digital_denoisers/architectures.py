"""The peers by name."""

from __future__ import annotations

from typing import Any

import torch

from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.reproduce.digital_denoisers.fully_connected import FullyConnectedNet
from labdiff.reproduce.digital_denoisers.unet import UNet

ARCHITECTURES: dict[str, type[FullyConnectedNet] | type[UNet]] = {
    net.architecture: net for net in (FullyConnectedNet, UNet)
}


def build_denoiser(
    architecture: str, image_shape: tuple[int, int], seed: int = 0, **settings: Any
) -> DigitalDenoiser:
    """An untrained net for images (H, W), its first weights drawn from the seed.

    settings: sizes other than the paper's, as the net's class has them.
    Raises KeyError for an unknown architecture.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[architecture](image_shape, **settings)
