"""Names and titles of the calibration routines, in their order; free of torch, for the window."""

from __future__ import annotations

from calibration.result_file import RESULT_TYPES

ROUTINE_TITLES = {result.routine: result.title for result in RESULT_TYPES}
"""What each routine finds, by its name, in the order in which routines are measured."""
ROUTINE_NAMES = tuple(ROUTINE_TITLES)
