"""What the twin finds of the registration belongs to the registration."""

from __future__ import annotations

import dataclasses

import numpy as np

from calibration.registration import Registration
from labdiff.session.calibrated_bench import CalibratedBench
from twin.parameter_vector import reset
from twin.parameters import REGISTRATION_PARAMETERS


def take_registration_correction(calibrated: CalibratedBench) -> Registration:
    """Return the registration in use with the twin's correction; the twin then has none.

    The camera saw at A p + b what the twin has at q = c + (1 + S)(p - c) + s; so q lies at
    A (c + (1 + S)^-1 (q - c - s)) + b.
    """
    twin, old = calibrated.twin, calibrated.registration
    centre = (np.array(calibrated.config.cavity.patch_shape) - 1) / 2
    # The twin counts (x, y), the registration (row, column).
    shear = twin.output_shear_percent.detach().numpy()[::-1, ::-1] / 100.0
    shift = twin.output_shift_px.detach().numpy()[::-1].copy()
    undo = np.linalg.inv(np.eye(2) + shear)
    reset(twin, REGISTRATION_PARAMETERS)
    return dataclasses.replace(
        old,
        matrix=old.matrix @ undo,
        offset=old.offset + old.matrix @ (centre - undo @ (centre + shift)),
    )
