"""Twin and mock, written apart: given the truth, one predicts the other's noiseless frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from benchmarks.claims import claim
from benchmarks.mock_checks.benches import SMALL, bench_geometry, block_phases, nrmse, smooth_phases
from benchmarks.parts import Outcome, Setting
from drivers.types import Roi
from mock_hardware.geometry import MockGeometry
from mock_hardware.light_path import LightPath
from mock_hardware.settings import MockSettings
from mock_hardware.truth import Truth, draw_truth
from twin.backplane import curvature_modes
from twin.digital_twin import DigitalTwin, TwinGeometry

SAMPLES = 2
MODELLED = (
    "beam.tilt_mrad",
    "beam.offset_um",
    "beam.waist_error",
    "cavity.gap_error",
    "cavity.mirror_tilt_mrad",
    "cavity.bounce_tilt_mrad",
    "slm.crosstalk_px",
    "slm.dead_space",
    "slm.backplane_rad",
    "cavity.mirror_edge",
    "relay.defocus_mm",
    "relay.magnification_error",
    "relay.rotation_deg",
    "relay.offset_px",
)
"""Effects that the twin models, the last three as the registration."""


def informed_twin(geometry: MockGeometry, truth: Truth) -> DigitalTwin:
    """Return the twin of a bench with the truth in its parameters."""
    pitch_um, waist_mm = geometry.pixel_pitch_um, geometry.waist_mm
    twin = DigitalTwin(
        TwinGeometry(
            geometry.patch_shape, geometry.layers, pitch_um * 1e-6, geometry.wavelength_nm * 1e-9,
            geometry.z_gap_mm * 1e-3, waist_mm * 1e-3, "slm_patch", SAMPLES,
        )
    )  # fmt: skip
    values = twin.state_dict()
    tilts_mrad = torch.tensor(truth.tilts_rad * 1e3).float()
    dead = truth.dead_space * np.sqrt(truth.dead_space_reflectance) / (1.0 - truth.dead_space)
    values["z_gap_percent"] = torch.tensor(100.0 * (truth.z_gap_mm / geometry.z_gap_mm - 1.0))
    values["d_alpha_beam_mrad"] = tilts_mrad[0]
    values["bounce_tilt_mrad"] = tilts_mrad[1:]
    values["source_waist_percent"] = torch.tensor(100.0 * (truth.waists_mm[0] / waist_mm - 1.0))
    values["source_centre_px"] = torch.tensor(truth.beam_centre_um / pitch_um).float()
    values["crosstalk_px"] = torch.tensor(truth.crosstalk_px)
    values["zero_order_percent"] = torch.tensor(100.0 * float(dead))
    modes = curvature_modes(*geometry.patch_shape).flatten(1).T
    shapes = torch.tensor(truth.backplane_rad).double().flatten(1).T
    values["backplane_rad"] = torch.linalg.lstsq(modes, shapes).solution.T.float()
    # The mock counts from the middle of the first sample to that of the last.
    first_px = 0.5 / SAMPLES
    edge_px = first_px + truth.mirror_edge * (geometry.patch_shape[1] - 2.0 * first_px)
    values["mirror_edge_px"] = torch.tensor(edge_px)
    values["defocus_percent"] = torch.tensor(50.0 * truth.defocus_mm / geometry.z_gap_mm)
    twin.load_alignment(values)
    return twin


def frame_errors(geometry: MockGeometry, seed: int) -> list[float]:
    """Return the NRMSE of predicted camera frames: of smooth patterns, and of blocks of 8 pixels.

    The light on a camera pixel is the twin's intensity where that pixel looks, by cubic splines;
    pixels that look at the outermost two rows of the plane are left out (there the twin has no light
    from beyond the patch).
    """
    dials = MockSettings().only(*MODELLED)
    relay = dials.relay.model_copy(update={"pupil_na": 0.0})
    # With the relay's pupil open all the light counts, and the twin follows all of it.
    fidelity = {"samples_per_pixel": SAMPLES, "steepest": 1.0}
    dials = dials.model_copy(update={**fidelity, "relay": relay})
    truth = draw_truth(geometry, dials, seed)
    path, twin = LightPath(geometry, dials, truth), informed_twin(geometry, truth)
    sensor = np.mgrid[: geometry.camera_shape[0], : geometry.camera_shape[1]].reshape(2, -1)
    places = np.linalg.inv(truth.camera_matrix) @ (sensor - truth.camera_offset_px[:, None])
    last = np.array(geometry.patch_shape)[:, None] - 1
    inside = ((places >= 2) & (places <= last - 2)).all(axis=0)
    # What the dead space costs at each of the five reflections is the camera's unit, not the twin's.
    unit = (1.0 - truth.dead_space) ** (2 * len(geometry.patch_lefts))
    errors = []
    shape, planes = geometry.patch_shape, len(geometry.patch_lefts)
    for phases in (
        np.mod(smooth_phases(planes, shape, 2.0, seed=seed), 2.0 * np.pi).astype(np.float32),
        block_phases(planes, shape, 8, seed=seed),
    ):
        image = path.image(path.plane(phases), Roi(0, 0, *geometry.camera_shape)).ravel()
        written = torch.from_numpy(phases)
        with torch.no_grad():
            plane = (
                twin.fine_intensity(*twin.modulation(written[:1], written[1:]))[0].numpy() * unit
            )
        fine = (places + 0.5) * SAMPLES - 0.5
        predicted: npt.NDArray[np.float32] = ndimage.map_coordinates(plane, fine, order=3)
        errors.append(nrmse(predicted[inside], image[inside]))
    return errors


def measure(setting: Setting) -> Outcome:
    """Predict frames of several benches."""
    geometry = SMALL if setting.smoke else bench_geometry("mock")
    benches = setting.amount("benches", smoke=1, quick=2, full=10)
    errors = np.array([frame_errors(geometry, seed) for seed in range(benches)])
    claims = [
        claim(
            f"twin against mock on {benches} benches, smooth: worst NRMSE",
            errors[:, 0].max(),
            "<= 0.02",
        ),
        claim(
            f"twin against mock on {benches} benches, blocks: worst NRMSE",
            errors[:, 1].max(),
            "<= 0.02",
        ),
    ]
    return Outcome(claims)
