"""Run the experiment: bench, jobs, learning, diffusion, recording, command line."""

__version__ = "0.1.0"
