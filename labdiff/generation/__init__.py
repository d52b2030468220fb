"""Applying a trained denoising unit: predicting noise and sampling images."""
