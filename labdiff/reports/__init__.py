"""Reports of runs, calibrations and evaluations: HTML pages, figures, terminal text."""
