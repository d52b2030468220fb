"""Sweeps over a grid of options and bench keys: trials for workers, a run file each, and one table."""
