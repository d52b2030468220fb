"""Denoising diffusion: noise schedule, time-aware policy, samplers."""
