"""The calibrations in their order, as one job."""

from __future__ import annotations

import numpy as np
import torch

from calibration.camera import measure_camera
from calibration.dark import measure_dark
from calibration.exposure import set_exposure
from calibration.layout import PatchLayout
from calibration.phase_response import measure_phase_response
from calibration.registration import measure_registration
from calibration.resample import Rectifier
from drivers.types import Roi
from labdiff.alignment import align
from labdiff.bench import Bench
from labdiff.events import Calibrated, StageStarted
from labdiff.runner import Job
from labdiff.session import Session

FLAT_FILL = 0.30
"""Share of full scale that the flat pattern's brightest pixels get: trained layers focus light."""


def first_look(session: Session) -> Job[None]:
    """Dark level, exposure, registration and gain: what it takes to read the camera at all."""
    bench, layout = session.bench, session.bench.layout
    yield StageStarted("dark, exposure, registration", 1)
    dark = yield from measure_dark(bench.camera, bench.laser, bench.clock.sleep_s)
    yield Calibrated("dark level", dark)
    dark.verdict.require("dark level")
    bench.dark = dark
    centre = ((layout.patch_shape[0] - 1) / 2, (layout.patch_shape[1] - 1) / 2)
    if bench.dmd is not None:
        # All mirrors on: what follows looks at what the layers do.
        bench.dmd.show(np.ones(layout.patch_shape, np.float32))
        bench.clock.sleep_s(bench.dmd.timing.total_ms / 1e3)
    patches = layout.flat()
    patches[-1] = layout.lens(*centre)
    bench.show(patches)
    focused = yield from set_exposure(bench.camera, dark.pedestal_counts, laser=bench.laser)
    focused.verdict.require("exposure")
    registration = yield from measure_registration(
        bench.slm, bench.camera, layout, dark.pedestal_counts, bench.settle
    )
    yield Calibrated("registration", registration)
    registration.verdict.require("registration")
    bench.registration = registration
    _read_out_around(bench, layout)
    yield from _expose_flat(session)
    # Nothing that follows rests on it: a failed one is kept and shown, and ends nothing.
    camera = yield from measure_camera(bench.camera, dark.pedestal_counts)
    yield Calibrated("camera", camera)


def full_calibration(session: Session) -> Job[float]:
    """Phase response, then alignment with tilts moved onto the SLM; returns held-out D."""
    bench, layout = session.bench, session.bench.layout
    assert bench.dark is not None
    yield StageStarted("phase response", 1)
    response = yield from measure_phase_response(
        bench.slm, bench.camera, layout, bench.dark.pedestal_counts, bench.settle
    )
    yield Calibrated("phase response", response)
    response.verdict.require("phase response")
    bench.use_phase_response(response.phase_by_grey_rad)
    yield from _expose_flat(session)
    yield StageStarted("alignment", 1)
    d = yield from align(session)
    session.precompensate()
    return d


def _read_out_around(bench: Bench, layout: PatchLayout, margin_px: int = 24) -> None:
    """Read out only the window of the camera on which the output plane falls."""
    assert bench.registration is not None
    height, width = layout.patch_shape
    corners = np.array([(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)], float)
    places = bench.registration.plane_to_camera(corners)
    low = np.clip(np.floor(places.min(0)) - margin_px, 0, np.array(bench.camera.shape) - 2)
    high = np.clip(np.ceil(places.max(0)) + margin_px, low + 2, bench.camera.shape)
    top, left = (int(v) for v in low)
    bench.camera.roi = Roi(top, left, int(high[0]) - top, int(high[1]) - left)
    bench.rectifier = Rectifier(bench.registration, bench.camera.roi, layout.patch_shape)


def _expose_flat(session: Session) -> Job[None]:
    """Exposure for a flat SLM, and the unit of intensity: what the twin says of a flat SLM."""
    bench, layout = session.bench, session.bench.layout
    assert bench.dark is not None
    bench.show(layout.flat())
    exposure = yield from set_exposure(
        bench.camera, bench.dark.pedestal_counts, FLAT_FILL, bench.laser
    )
    yield Calibrated("exposure", exposure)
    exposure.verdict.require("exposure")
    flat = layout.flat()
    inputs = flat[:1] if bench.dmd is None else np.ones_like(flat[:1])
    layers = flat[1:] if bench.dmd is None else flat
    bench.counts_per_ms_per_unit = 1.0
    measured = session.measure(torch.from_numpy(inputs), torch.from_numpy(layers))
    with torch.no_grad():
        modelled = session.twin(torch.from_numpy(inputs), torch.from_numpy(layers))
    bench.counts_per_ms_per_unit = float(measured.mean() / modelled.mean())
