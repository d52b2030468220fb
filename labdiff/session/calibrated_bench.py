"""The calibrated bench: a bench, its twin, and what the calibrations found of the two."""

from __future__ import annotations

import torch
from torch import Tensor

from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result import Verdict
from drivers.errors import DeviceStateError
from drivers.phase_quantiser import PhaseQuantiser
from labdiff.bench.bench import Bench
from labdiff.bench.measurement import Measurement
from labdiff.bench.shared_frames import SharedFrames
from labdiff.config.bench import BenchConfig
from labdiff.session.device import CPU
from labdiff.session.display_table import DisplayTable
from labdiff.session.models import build_twin
from twin.digital_twin import DigitalTwin
from twin.drift_tracking import track_drift
from twin.prior import Estimate, combined

FRAMES_FOLLOWED = 8
"""Number of frames of a batch by which drift is followed: each has ten thousand pixels."""


class CalibratedBench:
    """A bench of a bench file with its digital twin: all that calibrating needs, and what it yields.

    Without a bench (None) there is the twin alone, at data-sheet values until it is given others.

    Attributes:
        config: the bench file.
        twin: the digital twin, whose parameters the alignment finds.
        precompensation_rad: (N + 1, h, w), displayed on the SLM on top of input and layers; it undoes the
            tilts that the twin has learnt. Bench and twin both see it.
        aligned: whether the twin's parameters are those of this bench.
        covariance: (P, P), what the alignment left unknown of the twin's parameters; None before it.
        measured_registration: the registration as it was measured, before the alignment corrected the
            one in use; None before it is measured.
        calibrations: archive ids of the calibrations in use, by routine.
        contributions: what calibration routines have measured of the twin's parameters, by routine, then by
            the name of the value; the alignment starts from them, as its prior.
        verdicts: of the routines that were measured since the bench was opened, by routine.
        shared_frames: frames of one routine that others may use.
        quantiser: of the SLM for which layers are trained, where its bench is not at hand.
    """

    def __init__(
        self,
        config: BenchConfig,
        bench: Bench | None = None,
        quantiser: PhaseQuantiser | None = None,
    ) -> None:
        self.config = config
        self.twin: DigitalTwin = build_twin(config)
        self.precompensation_rad = torch.zeros(config.layers + 1, *config.cavity.patch_shape)
        self.aligned = False
        self.covariance: Tensor | None = None
        self.measured_registration: Registration | None = None
        self.calibrations: dict[str, str] = {}
        self.contributions: dict[str, dict[str, Estimate]] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.shared_frames = SharedFrames()
        self.quantiser = quantiser
        self._bench = bench
        self._display_table = DisplayTable()

    @property
    def device(self) -> torch.device:
        """Return the device on which the twin computes."""
        return self.twin.device

    def move_to(self, device: torch.device) -> None:
        """Move the twin and the pre-compensation to a device."""
        self.twin.move_to(device)
        self.precompensation_rad = self.precompensation_rad.to(device)

    @property
    def has_bench(self) -> bool:
        """Return whether there is a bench beside the twin."""
        return self._bench is not None

    @property
    def bench(self) -> Bench:
        """Return the bench. Raises DeviceStateError if there is none."""
        if self._bench is None:
            raise DeviceStateError("bench: none is open; there is its twin alone")
        return self._bench

    @property
    def dark(self) -> DarkLevel:
        """Return the dark level in use. Raises DeviceStateError before it is measured."""
        if self.bench.dark is None:
            raise DeviceStateError("bench: its dark level is not calibrated")
        return self.bench.dark

    @property
    def pedestal_counts(self) -> float:
        """Return what the camera counts without the laser at the exposure that stands."""
        return self.dark.pedestal_at(self.bench.camera.exposure_ms)

    @property
    def registration(self) -> Registration:
        """Return the registration in use. Raises DeviceStateError before it is measured."""
        if self.bench.registration is None:
            raise DeviceStateError("bench: its registration is not calibrated")
        return self.bench.registration

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Return what all routines have contributed to the twin, by the names of its values."""
        return combined(self.contributions.values())

    def contribute(self, routine: str, estimates: dict[str, Estimate]) -> None:
        """Keep what a routine has measured of the twin, in place of what it had measured before.

        estimates: by the names of the values, as `twin.parameter_vector.value_names` has them.
        """
        self.contributions[routine] = estimates

    def withdraw(self, routine: str) -> None:
        """Forget what a routine has contributed: it is measured again."""
        self.contributions.pop(routine, None)

    def displayed(self, inputs: Tensor, layers: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs and layers as the modulators display them: pre-compensated and quantised.

        Args:
            inputs: (B, h, w), rad on an SLM patch, amplitude on a DMD.
            layers: (N, h, w) for the whole batch or (B, N, h, w), rad.
        """
        if self.config.input.kind == "slm_patch":
            inputs = self.quantised(inputs + self.precompensation_rad[0])
        return inputs, self.quantised(layers + self.precompensation_rad[1:])

    def quantised(self, phases: Tensor) -> Tensor:
        """Return phases (rad) in the SLM's grey levels; the gradient passes straight through."""
        slm = self.quantiser if self._bench is None else self._bench.display
        if slm is None:
            return phases
        if phases.device == CPU:
            steps = torch.from_numpy(slm.realised(phases.detach().numpy()))
        else:
            steps = self._display_table.realised(phases.detach(), slm.realised_by_step)
        return phases + (steps - phases).detach()

    def measure(self, inputs: Tensor, layers: Tensor) -> Tensor:
        """Return the bench's answer (B, h, w) to inputs and layers as displayed."""
        return torch.from_numpy(self.measurement(inputs, layers).intensity).to(inputs.device)

    def measurement(self, inputs: Tensor, layers: Tensor) -> Measurement:
        """Return what `measure` does, with what is known of the frames."""
        return self.bench.measure(inputs.detach().cpu().numpy(), layers.detach().cpu().numpy())

    def precompensate(self) -> None:
        """Move what the twin has learnt of tilts and curvature onto the SLM."""
        self.precompensation_rad = self.twin.precompensation_phase()
        self.aligned = True

    def follow_drift(self, inputs: Tensor, layers: Tensor, measured: Tensor) -> None:
        """Update the pre-compensation by the drift that a measured batch shows.

        Args:
            inputs: (B, h, w), as displayed.
            layers: (N, h, w) or (B, N, h, w), as displayed.
            measured: (B, h, w), the bench's intensity; the first frames of it are enough.
        """
        if self.aligned:
            some = slice(FRAMES_FOLLOWED)
            own = layers[some] if layers.dim() == 4 else layers
            track_drift(self.twin, inputs[some], own, measured[some])
            self.precompensate()
