"""A simulated laboratory with hidden imperfections, drift, noise and faults."""
