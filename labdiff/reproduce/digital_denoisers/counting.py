"""Count the parameters and the multiply-adds of a net."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser


def parameters(net: nn.Module) -> int:
    """Return the number of trained parameters of a net."""
    return sum(value.numel() for value in net.parameters() if value.requires_grad)


def multiply_adds(net: DigitalDenoiser) -> int:
    """Return the multiply-adds of one denoising step of one image, in linear layers and convolutions.

    linear: inputs x outputs; convolution: output pixels x output channels x input channels x kernel.
    Biases, norms, activations and interpolation are left out; they are a few per cent.
    """
    counted = 0

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        nonlocal counted
        if isinstance(module, nn.Conv2d | nn.Linear):
            # Each output value (of one image) is a sum over one row of the weights.
            counted += output[0].numel() * module.weight[0].numel()

    hooks = [
        module.register_forward_hook(count)
        for module in net.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    was_training = net.training
    where = next(net.parameters()).device
    try:
        net.eval()
        with torch.no_grad():
            net(
                torch.zeros(1, *net.image_shape, device=where),
                torch.zeros(1, dtype=torch.long, device=where),
            )
    finally:
        net.train(was_training)
        for hook in hooks:
            hook.remove()
    return counted
