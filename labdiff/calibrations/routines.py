"""All calibration routines, in the order in which they are measured: that of their results' types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from calibration.result_file import RESULT_TYPES
from labdiff.calibrations.beam import BEAM
from labdiff.calibrations.camera import CAMERA
from labdiff.calibrations.coarse_settling import COARSE_SETTLING
from labdiff.calibrations.dark_level import DARK_LEVEL
from labdiff.calibrations.exposure import EXPOSURE
from labdiff.calibrations.phase_response import PHASE_RESPONSE
from labdiff.calibrations.registration import REGISTRATION
from labdiff.calibrations.routine import Purpose, Routine
from labdiff.calibrations.settling import SETTLING
from labdiff.calibrations.twin_alignment import ALIGNMENT
from labdiff.calibrations.wavefront import WAVEFRONT

_ROUTINES: tuple[Routine[Any], ...] = (
    ALIGNMENT,
    BEAM,
    CAMERA,
    COARSE_SETTLING,
    DARK_LEVEL,
    EXPOSURE,
    PHASE_RESPONSE,
    REGISTRATION,
    SETTLING,
    WAVEFRONT,
)
ROUTINES = tuple(sorted(_ROUTINES, key=lambda routine: RESULT_TYPES.index(routine.result)))


def routine(name: str) -> Routine[Any]:
    """Return a routine by its name. Raises KeyError."""
    return {each.name: each for each in ROUTINES}[name]


def with_dependents(names: Iterable[str]) -> set[str]:
    """Return these routines and all that depend on their results, directly or not."""
    found = set(names)
    for candidate in ROUTINES:
        if found & set(candidate.parents):
            found.add(candidate.name)
    return found


def _names(purpose: Purpose) -> tuple[str, ...]:
    return tuple(each.name for each in ROUTINES if each.purpose == purpose)


NEEDED = tuple(each.name for each in ROUTINES if each.needed)
"""Names of the routines without which a calibration fails."""
IMAGING = _names("imaging")
"""Names of the routines that it takes to read the camera at all."""
PREDICTION = _names("prediction")
"""Names of the routines that it takes to predict what the camera reads."""
