"""Figures of merit: errors of a denoiser, and distances between generated and real images."""
