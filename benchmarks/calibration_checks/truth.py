"""What calibrations found, against the truth of the mock laboratory.

The registration alone has no truth of its own: a curvature that the planes share scales the image as a
magnification does, and only both together can be told. Frames that nothing was fitted to hold both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from benchmarks.mock_checks.benches import laboratory_of
from calibration.alignment_found import AlignmentFound
from calibration.camera import CameraFound
from calibration.dark import DarkLevel
from calibration.phase_response import PhaseResponse
from calibration.result_file import Result
from labdiff.calibrations.probe_frames import ProbeKind, measure_probes
from labdiff.session.calibrated_bench import CalibratedBench
from twin.alignment_fit import Triples
from twin.drift_tracking import track_drift

UNSEEN: tuple[tuple[ProbeKind, float], ...] = (("blocks", 8.0), ("smooth", 2.0))
UNSEEN_FRAMES = 4


@dataclass(frozen=True, slots=True)
class Checked:
    """error: of one quantity. sigma: its stated standard deviation, NaN if none is stated.

    largest: an error beyond which what rests on the quantity is spoilt.
    """

    error: float
    sigma: float
    largest: float

    def __post_init__(self) -> None:
        """Convert both numbers to Python's own."""
        object.__setattr__(self, "error", float(self.error))
        object.__setattr__(self, "sigma", float(self.sigma))

    @property
    def spoilt(self) -> bool:
        """Return whether the error is beyond the largest, or no number."""
        return not abs(self.error) <= self.largest


def unseen_nrmse(calibrated: CalibratedBench, drifted: bool = False) -> float:
    """Return how far the twin is off frames that nothing was fitted to, of the worse kind of pattern.

    drifted: the alignment is some time ago, and its drift is followed first, as training does.
    """
    if drifted:
        probes = measure_probes(calibrated, "smooth", 2.0, UNSEEN_FRAMES, 3999)
        track_drift(calibrated.twin, probes.inputs, probes.phases, probes.intensity)
    worst = 0.0
    for number, (kind, strength) in enumerate(UNSEEN):
        probes = measure_probes(calibrated, kind, strength, UNSEEN_FRAMES, 4000 + number)
        worst = max(worst, _nrmse(calibrated, probes))
    return worst


def _nrmse(calibrated: CalibratedBench, probes: Triples) -> float:
    with torch.no_grad():
        light = torch.cat(
            [
                calibrated.twin(probes.inputs[i : i + 1], probes.phases[i])
                for i in range(len(probes.inputs))
            ]
        )
    return float((light - probes.intensity).norm() / probes.intensity.norm())


def check(
    calibrated: CalibratedBench, results: dict[str, Result], aligned_s: float | None = None
) -> dict[str, Checked]:
    """Compare every quantity of these results that has a truth with it.

    aligned_s: when the alignment was measured; angles drift. None: now.
    """
    lab = laboratory_of(calibrated.bench)
    truth = lab.world.truth
    found: dict[str, Checked] = {}
    dark = results.get("dark level")
    if isinstance(dark, DarkLevel):
        # What the sensor shows in the dark is more than the pedestal.
        electrons = truth.offset_pattern_electrons[~truth.hot].mean()
        electrons += truth.dark_electrons_per_s * calibrated.config.camera.exposure_ms * 1e-3
        pedestal = truth.pedestal_counts + electrons / truth.electrons_per_count
        found["pedestal, counts"] = Checked(
            dark.pedestal_counts - pedestal, dark.pedestal_sigma_counts, 2.0
        )
    camera = results.get("camera")
    if isinstance(camera, CameraFound) and camera.verdict.level != "fail":
        gain = truth.electrons_per_count
        found["gain, share"] = Checked(
            camera.gain_electrons / gain - 1.0, camera.gain_sigma_electrons / gain, 0.05
        )
        read = truth.read_noise_electrons / gain
        found["read noise, share"] = Checked(
            camera.read_noise_counts / read - 1.0, camera.read_noise_sigma_counts / read, 0.10
        )
    response = results.get("phase response")
    if isinstance(response, PhaseResponse):
        # A phase that is common to a patch does nothing; the response is that of the last patch.
        true = truth.phase_by_grey_rad * truth.stroke_map[-1].mean()
        off = float((response.phase_by_grey_rad - true).std())
        found["phase response, rad"] = Checked(off, response.sigma_rad, 0.05)
    alignment = results.get("alignment")
    if isinstance(alignment, AlignmentFound):
        when_s = lab.world.clock.now_s() if aligned_s is None else aligned_s
        found.update(_aligned(calibrated, alignment, when_s))
    return found


def _aligned(
    calibrated: CalibratedBench, alignment: AlignmentFound, when_s: float
) -> dict[str, Checked]:
    lab = laboratory_of(calibrated.bench)
    truth = lab.world.truth
    sigma = dict(zip(alignment.names, alignment.sigma, strict=True))
    value = dict(zip(alignment.names, alignment.value, strict=True))
    gap_percent = 100.0 * (truth.z_gap_mm / lab.world.geometry.z_gap_mm - 1.0)
    dead = truth.dead_space * math.sqrt(truth.dead_space_reflectance) / (1.0 - truth.dead_space)
    found = {
        "gap, percent": Checked(value["z_gap_percent"] - gap_percent, sigma["z_gap_percent"], 0.3),
        "crosstalk, px": Checked(
            value["crosstalk_px"] - truth.crosstalk_px, sigma["crosstalk_px"], 0.1
        ),
        "zero order, percent": Checked(
            value["zero_order_percent"] - 100.0 * dead, sigma["zero_order_percent"], 2.0
        ),
    }
    # The last bounce's tilt is a shift of the image too; all others are what they are.
    drifted = lab.world.drift.at(when_s)
    true_mrad = 1e3 * (truth.tilts_rad + drifted.mirror_rad)[1:-1]
    off_mrad = alignment.tilt_mrad[1:-1] - true_mrad
    for bounce, (pair, spread) in enumerate(
        zip(off_mrad, alignment.tilt_sigma_mrad[1:-1], strict=True), start=1
    ):
        for axis in range(2):
            name = f"tilt {bounce}{'xy'[axis]}, mrad"
            found[name] = Checked(float(pair[axis]), float(spread[axis]), 0.1)
    return found
