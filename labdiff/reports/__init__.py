"""Reports of runs and calibrations as HTML pages, figures and terminal text."""
