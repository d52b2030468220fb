"""Figures of merit: errors of a denoiser, and how near generated images are to real ones."""
