"""Our calibrations beside slmsuite's own; left out where slmsuite is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.parts import NotPossibleError, Outcome, Setting


def measure(setting: Setting) -> Outcome:
    """Measure beside slmsuite."""
    if find_spec("slmsuite") is None:
        raise NotPossibleError("slmsuite is not installed: pip install 'labdiff[benchmarks]'")
    from benchmarks.calibration_checks import beside_slmsuite

    return beside_slmsuite.measure(setting)
