"""What a job works on: the calibrated bench, the training session, checkpoints and layer files."""
