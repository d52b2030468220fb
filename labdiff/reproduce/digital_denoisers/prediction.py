"""A trained net as a function, for metrics and samplers."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.diffusion.sampler import Denoiser
from labdiff.metrics.noise_error import Predictor
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser


def predictor(net: DigitalDenoiser, batch: int = 256) -> Predictor:
    """Return the net as a function without gradients; it computes at most `batch` images at once.

    The net is set to evaluation mode. It computes on the device of its weights; the result is on the
    device of x_t.
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
    """Return the net as a function with one timestep for all images, for `labdiff.diffusion.sampler`."""
    predict = predictor(net, batch)
    return lambda x_t, t: predict(x_t, torch.full((len(x_t),), t))
