"""The bench as a differentiable function."""
