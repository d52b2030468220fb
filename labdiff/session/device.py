"""The device that computes: chosen among those that torch sees here, and described for results."""

from __future__ import annotations

import platform

import torch

from labdiff.config.device import VARIABLE, wanted_device
from labdiff.errors import UserError

CPU = torch.device("cpu")


def chosen_device(option: str) -> torch.device:
    """Return the device of an option: of "auto" CUDA's first GPU where there is one, else the CPU.

    Raises UserError if torch does not see the device here.

    Args:
        option: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Example:
        >>> chosen_device("cpu")
        device(type='cpu')
    """
    name = wanted_device(option)
    gpus = torch.cuda.device_count()
    if name == "auto":
        return torch.device("cuda", 0) if gpus else CPU
    if name == "mps" and not torch.backends.mps.is_available():
        raise UserError(f"device mps: torch sees no Apple GPU here; {_allowed(gpus)}")
    device = torch.device("cuda", 0) if name == "cuda" else torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= gpus:
        build = f"torch {torch.__version__}"
        raise UserError(f"device {name}: {build} sees {_counted(gpus)} here; {_allowed(gpus)}")
    return device


def device_description(device: torch.device) -> str:
    """Return the device with its maker's name, for results."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"{device} ({platform.processor() or platform.machine()})"


def compute_in_full(device: torch.device) -> None:
    """Let a GPU compute float32 with all its bits: TF32's ten would show in phases and in intensities."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False


def _counted(gpus: int) -> str:
    return "no NVIDIA GPU" if not gpus else f"{gpus} NVIDIA GPU{'s' if gpus > 1 else ''}"


def _allowed(gpus: int) -> str:
    found = ["auto", "cpu", *(f"cuda:{index}" for index in range(gpus))]
    if torch.backends.mps.is_available():
        found.append("mps")
    return f"allowed are {', '.join(found)} (option device, or {VARIABLE})"
