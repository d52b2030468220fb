"""Benchmarks: scripts that print claims with the measured value, the bound, and whether it holds."""

import sys
from pathlib import Path

# A script's own folder comes first on the path; calibration.py, drivers.py and gui.py in it would
# hide the packages of those names.
if sys.path and sys.path[0] and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
    del sys.path[0]
