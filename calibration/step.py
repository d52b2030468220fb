"""What a calibration says while it runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class CalibrationStep:
    """One measurement of a routine.

    routine: "dark", "exposure", "registration" ...; index counts from 0 to total - 1.
    message: what was found, in words. picture: the frame, (height, width); None if there is nothing to
    see. unit: of the picture.
    """

    routine: str
    index: int
    total: int
    message: str
    picture: npt.NDArray[np.float32] | None = None
    unit: str = "counts"
