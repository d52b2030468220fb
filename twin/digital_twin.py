"""The bench as a differentiable function."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from twin import backplane, relay, source
from twin.cavity import FixedCavity, along_columns, cavity_intensity
from twin.free_form import FreeFormModule, parted, stray_field
from twin.host_facts import FactsReader, HostFacts
from twin.output_resampling import resample
from twin.parameters import ALIGNMENT_PARAMETERS, FREE_FORM_PARAMETERS, NO_EDGE_PX
from twin.phase_response import crystal_phase
from twin.pixel_response import reflection
from twin.propagation import padded_size, transfer_function
from twin.recorded_values import recorded_deviations, recorded_values


@dataclass(frozen=True, slots=True)
class TwinGeometry:
    """What the bench file says: lengths in metres, shape (height, width) of a patch in pixels.

    samples: samples of the light a pixel and axis. One is enough to learn with; two see what happens
    within a pixel, at four times the cost. numerical_aperture: of the relay to the camera, 0 if open.
    steepest: sine of the steepest light that is followed, if the samples carry more.
    """

    shape: tuple[int, int]
    layers: int
    pixel_pitch_m: float
    wavelength_m: float
    z_gap_m: float
    waist_m: float
    input_kind: Literal["slm_patch", "dmd"]
    samples: int = 1
    numerical_aperture: float = 0.0
    steepest: float = 1.0


BEYOND_APERTURE = 1.2
"""Steepest light that is followed between the planes, over the relay's aperture."""


@dataclass(frozen=True, slots=True)
class Elements:
    """What light meets besides inputs and layers, complex.

    source (S h, S w): field behind the input plane's own factor; planes (N, S h, S w): tilt and
    curvature at each layer; gap, way_out: transfer functions on the padded grid.
    """

    source: Tensor
    planes: Tensor
    gap: Tensor
    way_out: Tensor


class DigitalTwin(FreeFormModule):
    """`twin(inputs, phases)` is what `Bench.measure` would see, (B, h, w).

    1.0 is the mean of |source|^2 over a patch at data-sheet values. Its parameters are the alignment
    parameters, `twin.parameters.ALIGNMENT_PARAMETERS`, by their names and in their order: stored in units
    in which each is of the order of one, so that one learning rate suits them all. Pairs are (x, y);
    percent, and what is not described otherwise, are deviations from the data sheet. They are known (no
    gradient, fast) until `refining(True)`. Beside them it may have a free-form part, `free_form`.
    Tilts and kernel: the paper, section 3.2 and appendix A.1.
    """

    if TYPE_CHECKING:
        # A parameter of ALIGNMENT_PARAMETERS, or a buffer: the twin has no modules inside.
        def __getattr__(self, name: str) -> Tensor: ...

    def __init__(self, geometry: TwinGeometry) -> None:
        patches = geometry.layers + (1 if geometry.input_kind == "slm_patch" else 0)
        super().__init__(geometry.layers, patches, geometry.shape)
        self.geometry = geometry
        for record in ALIGNMENT_PARAMETERS:
            start = torch.full(record.sizes(geometry.layers, patches), record.data_sheet)
            self.register_parameter(record.name, nn.Parameter(start, requires_grad=False))
        height, width = (n * geometry.samples for n in geometry.shape)
        self._pitch_m = geometry.pixel_pitch_m / geometry.samples
        rows = torch.arange(height, dtype=torch.float64) - (height - 1) / 2
        columns = torch.arange(width, dtype=torch.float64) - (width - 1) / 2
        self.register_buffer("y_m", (rows * self._pitch_m)[:, None], persistent=False)
        self.register_buffer("x_m", (columns * self._pitch_m)[None, :], persistent=False)
        # A deviation of 5 % in the gap must still fit the padding.
        reach_m = 2.0 * geometry.z_gap_m * 1.05
        self.padded = (
            padded_size(height, self._pitch_m, geometry.wavelength_m, reach_m, geometry.steepest),
            padded_size(width, self._pitch_m, geometry.wavelength_m, reach_m, geometry.steepest),
        )
        beam_modes = source.modes(self.x_m, self.y_m, geometry.waist_m)
        self.register_buffer("source_modes", beam_modes, persistent=False)
        curvatures = backplane.curvature_modes(height, width)
        self.register_buffer("curvature_modes", curvatures, persistent=False)
        aperture = relay.aperture(
            self.padded, self._pitch_m, geometry.wavelength_m, geometry.numerical_aperture
        )
        self.register_buffer("aperture", aperture, persistent=False)
        aberrations = relay.aberration_modes(self.padded, geometry.samples)
        self.register_buffer("aberration_modes", aberrations, persistent=False)
        self._fixed: Elements | None = None
        self._device = self._precise_device = torch.device("cpu")
        self._reader = FactsReader(self.get_parameter)

    @property
    def field_shape(self) -> tuple[int, int]:
        """Return (height, width) of a field in samples."""
        height, width = self.geometry.shape
        return height * self.geometry.samples, width * self.geometry.samples

    @property
    def device(self) -> torch.device:
        """Return the device on which the twin computes."""
        return self._device

    def move_to(self, device: torch.device) -> None:
        """Compute on another device from now on.

        What needs float64, once for a set of parameters, stays on the CPU where the device has none (MPS).
        """
        if device == self._device:
            return
        self._reader.read()
        self._device = device
        self._precise_device = torch.device("cpu") if device.type == "mps" else device
        for name, values in list(self.named_parameters()):
            moved = nn.Parameter(values.detach().to(device), values.requires_grad)
            self.register_parameter(name, moved)
        free_form = {name: values.to(device) for name, values in self.free_form.items()}
        for name, buffer in list(self.named_buffers()):
            self.register_buffer(name, buffer.to(self._precise_device), persistent=False)
        self.set_free_form(free_form)
        self._reader.moved()
        self._fixed = None

    def _facts(self) -> HostFacts | None:
        """Return what is 0, so that no GPU is waited for; None on the CPU, which simply looks."""
        return None if self._device.type == "cpu" else self._reader.read()

    def _precise(self, values: Tensor) -> Tensor:
        return values.to(self._precise_device, torch.float64)

    def finer(self, samples: int) -> DigitalTwin:
        """Return the same twin with more samples of the light a pixel, and no light that no camera sees.

        A little more than what the relay takes is followed: layers bend some of it back.
        """
        g = self.geometry
        steepest = min(BEYOND_APERTURE * g.numerical_aperture, 1.0) or 1.0
        finer = DigitalTwin(replace(g, samples=samples, steepest=steepest))
        finer.load_alignment(self.state_dict())
        return finer

    def refining(self, on: bool, fixed: Collection[str] = ()) -> None:
        """Let gradients reach the alignment parameters but the `fixed` ones, or not."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(on and name not in fixed)
        self._fixed = None

    def forward(self, inputs: Tensor, phases: Tensor) -> Tensor:
        """Return the intensity on the output plane, (B, h, w).

        inputs: (B, h, w), radians for an SLM patch, amplitude 0 ... 1 for a DMD.
        phases: (N, h, w) radians for the whole batch, or (B, N, h, w).
        """
        return self.intensity(*self.modulation(inputs, phases))

    def modulation(self, inputs: Tensor, phases: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the modulators do to light, complex: (B, S h, S w) and ([B,] N, S h, S w).

        Of the alignment parameters only `twin.parameters.MODULATOR_PARAMETERS` count here.
        """
        count = self.geometry.layers
        phase_map = self.free_form.get("phase_map_rad")
        mine = None if phase_map is None else phase_map[-count:]
        layers = self._reflection(phases, self.stroke_percent[-count:], mine)
        return self.input_modulation(inputs), layers

    def input_modulation(self, inputs: Tensor) -> Tensor:
        """Return what the input modulator does to light, (B, S h, S w) complex."""
        if self.geometry.input_kind == "slm_patch":
            return self._reflection(inputs, *self._patch(0))
        samples = self.geometry.samples
        amplitude = inputs.repeat_interleave(samples, -2).repeat_interleave(samples, -1)
        return torch.complex(amplitude, torch.zeros_like(amplitude))

    def layer_modulation(self, layer: int, phases: Tensor) -> Tensor:
        """Return what one layer does to light, (B, S h, S w) complex, for phases (B, h, w)."""
        return self._reflection(phases, *self._patch(layer - self.geometry.layers))

    def _patch(self, index: int) -> tuple[Tensor, Tensor | None]:
        """Return stroke (3,) and phase map (h, w), if there is one, of a patch on the SLM."""
        phase_map = self.free_form.get("phase_map_rad")
        return self.stroke_percent[index], None if phase_map is None else phase_map[index]

    def intensity(self, first: Tensor, layers: Tensor) -> Tensor:
        """Return the intensity (B, h, w) from what `modulation` returns."""
        return self.registered(self.fine_intensity(first, layers))

    def registered(self, intensity: Tensor) -> Tensor:
        """Return the intensity (B, h, w) where the camera's pixels lie, from `fine_intensity`."""
        moved = (self.output_shift_px, self.output_shear_percent, self.distortion_percent)
        straight = not self._learning() and self._straight(moved)
        if straight and self.geometry.samples == 1:
            return intensity
        shear, distortion = self.output_shear_percent / 100.0, self.distortion_percent / 100.0
        return resample(intensity, self.geometry.shape, shear, self.output_shift_px, distortion)

    def _straight(self, moved: tuple[Tensor, ...]) -> bool:
        facts = self._facts()
        return facts.straight if facts else not any(bool(values.any()) for values in moved)

    def fine_intensity(self, first: Tensor, layers: Tensor) -> Tensor:
        """Return the intensity on the samples of the light, (B, S h, S w), before any registration."""
        learning = self._learning()
        bench = self.elements() if learning else self._known()
        layers = bench.planes * layers
        source = bench.source.expand(*layers.shape[:-3], 1, -1, -1)
        planes = torch.cat([source, layers], dim=-3)
        stray = None
        if "stray_percent" in self.free_form:
            stray = stray_field(self.free_form["stray_percent"], self.field_shape)
        if not learning:
            intensity: Tensor = FixedCavity.apply(  # type: ignore[no-untyped-call]
                first, planes, bench.gap, bench.way_out, stray
            )
            return intensity
        return cavity_intensity(first, planes, bench.gap, bench.way_out, stray)

    def _learning(self) -> bool:
        return torch.is_grad_enabled() and any(p.requires_grad for p in self.parameters())

    def _reflection(
        self, phases: Tensor, stroke_percent: Tensor, phase_map: Tensor | None
    ) -> Tensor:
        facts = self._facts()
        unbent, sharp = (facts.unbent, facts.sharp) if facts else (None, None)
        crystal = crystal_phase(phases, stroke_percent, self.bend_rad, unbent)
        if phase_map is not None:
            crystal = crystal + phase_map
        samples = self.geometry.samples
        return reflection(crystal, self.crosstalk_px, self.zero_order_percent, samples, sharp)

    def _pixel_means(self, samples: Tensor) -> Tensor:
        """Return means over each pixel, (P, h, w) from (P, S h, S w)."""
        if self.geometry.samples == 1:
            return samples
        return nn.functional.avg_pool2d(samples[:, None], self.geometry.samples)[:, 0]

    def _known(self) -> Elements:
        if self._fixed is None:
            with torch.no_grad():
                found = self.elements()
                way = along_columns(found.gap), along_columns(found.way_out)
                self._fixed = Elements(found.source, found.planes, *way)
        return self._fixed

    def load_alignment(self, values: dict[str, Tensor]) -> None:
        """Take over values by name, as `state_dict` gives them; without a free-form part if it has none."""
        free_form, others = parted(values)
        self.set_free_form({})
        self.load_state_dict(others)
        self.set_free_form({name: value.to(self._device) for name, value in free_form.items()})
        self._fixed = None

    def elements(self) -> Elements:
        """Return what light meets besides inputs and layers, at the present parameters."""
        planes = self.plane_factors()
        gap, way_out = self.gap_transfer(), self.output_transfer()
        field = self.source_field() * planes[0]
        return Elements(*(part.to(self._device) for part in (field, planes[1:], gap, way_out)))

    def plane_factors(self) -> Tensor:
        """Return tilt and curvature at the input plane and at each layer, (N + 1, S h, S w) complex."""
        phase = self._curvature() - self._ramp_phase(self.planes_tilt_rad())
        return torch.complex(phase.cos(), phase.sin()).to(torch.complex64)

    def gap_transfer(self) -> Tensor:
        """Return the transfer function from plane to plane, on the padded grid."""
        return self._transfer(self._gap_m())

    def output_transfer(self) -> Tensor:
        """Return the transfer function from the last layer to the camera's plane, on the padded grid."""
        defocus_m = 2.0 * self.geometry.z_gap_m * self._precise(self.defocus_percent) / 100.0
        aberration = torch.tensordot(
            self._precise(self.aberration_rad), self.aberration_modes, dims=1
        )
        relayed = torch.polar(self.aperture, aberration).to(torch.complex64)
        return self._transfer(self._gap_m() + defocus_m) * relayed

    def _gap_m(self) -> Tensor:
        return 2.0 * self.geometry.z_gap_m * (1.0 + self._precise(self.z_gap_percent) / 100.0)

    def _transfer(self, distance_m: Tensor) -> Tensor:
        g = self.geometry
        return transfer_function(
            self.padded, self._pitch_m, g.wavelength_m, distance_m, steepest=g.steepest
        )

    def source_field(self) -> Tensor:
        """Return the beam past the mirror's edge, (S h, S w) complex, without its tilt.

        1 is the root mean square over the patch at data-sheet values.
        """
        g = self.geometry
        centre_m = self._precise(self.source_centre_px) * g.pixel_pitch_m
        waist_m = g.waist_m * (1.0 + self._precise(self.source_waist_percent) / 100.0)
        nominal = source.gaussian(self.x_m, self.y_m, g.waist_m).square().mean().sqrt()
        beam = source.gaussian(self.x_m - centre_m[0], self.y_m - centre_m[1], waist_m) / nominal
        structure = source.structure(self.source_modes, self._precise(self.source_modes_percent))
        k = 2.0 * math.pi / g.wavelength_m
        ghost = source.window_ghost(
            (k * self.x_m, k * self.y_m),
            self._precise(self.ghost_mrad),
            self._precise(self.ghost_percent),
        )
        field = (beam * structure * ghost).to(torch.complex64)
        facts = self._facts()
        if facts.open_mirror if facts else float(self.mirror_edge_px.detach()) <= NO_EDGE_PX:
            return field
        to_slm_m = g.z_gap_m * (1.0 + self._precise(self.z_gap_percent) / 100.0)
        to_slm = transfer_function(self.padded, self._pitch_m, g.wavelength_m, to_slm_m)
        return source.past_mirror_edge(
            field, self.mirror_edge_px.to(field.device), g.samples, to_slm
        )

    def _curvature(self) -> Tensor:
        """Return the phase (N + 1, h, w) of the backplane; a DMD at the input is flat."""
        surface = torch.tensordot(self._precise(self.backplane_rad), self.curvature_modes, dims=1)
        missing = self.geometry.layers + 1 - len(surface)
        return nn.functional.pad(surface, (0, 0, 0, 0, missing, 0))

    def _ramp_phase(self, tilts_rad: Tensor) -> Tensor:
        k = 2.0 * math.pi / self.geometry.wavelength_m
        sines = self._precise(tilts_rad).sin()[:, :, None, None]
        return k * (self.x_m * sines[:, 0] + self.y_m * sines[:, 1])

    def incident(self) -> Tensor:
        """Return the field that falls on the input plane, (S h, S w) complex, its tilt included."""
        return self._known().source

    def planes_tilt_rad(self) -> Tensor:
        """Tilt picked up at the input plane and at each layer, (N + 1, 2), radians."""
        layers = self.d_alpha_mirror_mrad + self.bounce_tilt_mrad
        return torch.cat([self.d_alpha_beam_mrad[None], layers]) * 1e-3

    def precompensation_phase(self) -> Tensor:
        """Return the phase (N + 1, h, w) which, displayed on the SLM, undoes tilts and curvature."""
        with torch.no_grad():
            pixels = self._ramp_phase(self.planes_tilt_rad()) - self._curvature()
            return self._pixel_means(pixels).float().to(self._device)

    def alignment(self) -> dict[str, float]:
        """Return what events and run files hold of the alignment parameters, units in the names."""
        z_gap_mm = self.geometry.z_gap_m * 1e3
        free_form = self.free_form
        records = [record for record in FREE_FORM_PARAMETERS if record.name in free_form]
        parameters = dict(self.named_parameters()) | free_form
        return {
            name: value
            for record in (*ALIGNMENT_PARAMETERS, *records)
            for name, value in recorded_values(record, parameters[record.name], z_gap_mm).items()
        }

    def alignment_deviation(self, covariance: Tensor) -> dict[str, float]:
        """Return one standard deviation of each value of `alignment`, by its names, to first order.

        covariance (P, P): in the order of `twin.parameter_vector.parameter_vector`.
        """
        found: dict[str, float] = {}
        first = 0
        for record in ALIGNMENT_PARAMETERS:
            parameter = self.get_parameter(record.name)
            own = slice(first, first + parameter.numel())
            z_gap_mm = self.geometry.z_gap_m * 1e3
            found |= recorded_deviations(record, parameter, covariance[own, own], z_gap_mm)
            first = own.stop
        return found
