"""Figures of merit: errors of a denoiser, and how near generated images are to real ones."""

from labdiff.metrics.baselines import WienerDenoiser, WienerFilter, identity_prediction
from labdiff.metrics.noise_error import (
    FIRST_SCORED_T,
    NoisyImages,
    Predictor,
    held_out_noisy,
    mse_of,
    noise_mse,
)

__all__ = [
    "FIRST_SCORED_T",
    "NoisyImages",
    "Predictor",
    "WienerDenoiser",
    "WienerFilter",
    "held_out_noisy",
    "identity_prediction",
    "mse_of",
    "noise_mse",
]
