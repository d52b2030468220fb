"""Long jobs as generators of events: experiment, training, calibration, generation, evaluation."""
