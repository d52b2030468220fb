"""A trained peer as a function: what metrics and samplers ask for."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.diffusion.sampler import Denoiser
from labdiff.metrics.noise_error import Predictor
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser


def predictor(net: DigitalDenoiser, batch: int = 256) -> Predictor:
    """The net in evaluation mode, without gradients; at most `batch` images at a time.

    It computes where the net's weights lie; what it gives back lies where x_t does.
    """
    net.eval()

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        where = next(net.parameters()).device
        with torch.no_grad():
            parts = [
                net(few.to(where), times.to(where)).to(x_t.device)
                for few, times in zip(torch.split(x_t, batch), torch.split(t, batch), strict=True)
            ]
        return torch.cat(parts)

    return predict


def denoiser(net: DigitalDenoiser, batch: int = 256) -> Denoiser:
    """The same with one timestep for all images, as `labdiff.diffusion.sampler` takes it."""
    predict = predictor(net, batch)
    return lambda x_t, t: predict(x_t, torch.full((len(x_t),), t))
