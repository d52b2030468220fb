"""Follow the angles of a bench that drifts, from the light it gives anyway."""

from __future__ import annotations

import torch
from torch import Tensor

from twin.alignment_fit import normalised
from twin.digital_twin import DigitalTwin
from twin.parameters import ALIGNMENT_PARAMETERS

TRACKED = tuple(p.name for p in ALIGNMENT_PARAMETERS if p.wander and p.unit == "mrad")
"""Names of the angles of beam and mirror: what turns on a bench from minute to minute."""
DIFFERENCE_MRAD = 0.02
EXPECTED_MRAD = 0.03
"""Drift between two steps, one standard deviation: how far one step may carry."""


def track_drift(twin: DigitalTwin, inputs: Tensor, phases: Tensor, measured: Tensor) -> Tensor:
    """Make one Gauss-Newton step of the tracked angles; return their change, mrad, (x, y) beam and mirror.

    Some frames are enough, since each has ten thousand pixels and there are four unknowns. Scale and
    offset of the light do not count.

    Args:
        twin: Whose angles are changed.
        inputs: (B, h, w).
        phases: (N, h, w), radians.
        measured: (B, h, w), the frames' intensity.
    """
    start = _angles(twin)
    with torch.no_grad():
        fields = twin.modulation(inputs, phases)
        target = normalised(measured)
        modelled = normalised(twin.intensity(*fields))
        residual = (target - modelled).flatten()
        jacobian = torch.empty(len(residual), len(start))
        for index in range(len(start)):
            moved = start.clone()
            moved[index] += DIFFERENCE_MRAD
            _turn(twin, moved)
            changed = normalised(twin.intensity(*fields))
            jacobian[:, index] = (changed - modelled).flatten() / DIFFERENCE_MRAD
        noise = residual.square().mean() / EXPECTED_MRAD**2
        curvature = jacobian.T @ jacobian + noise * torch.eye(len(start))
        change: Tensor = torch.linalg.solve(curvature, jacobian.T @ residual)
        change = change.clamp(-2.0 * EXPECTED_MRAD, 2.0 * EXPECTED_MRAD)
        _turn(twin, start + change)
    return change


def _angles(twin: DigitalTwin) -> Tensor:
    return torch.cat([twin.get_parameter(name).detach() for name in TRACKED])


def _turn(twin: DigitalTwin, angles_mrad: Tensor) -> None:
    pairs = dict(zip(TRACKED, angles_mrad.view(-1, 2), strict=True))
    twin.load_alignment({**twin.state_dict(), **pairs})
