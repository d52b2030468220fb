"""A twin's intensities of patterns that stay, at parameters of which few change at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.cavity import TOGETHER, PaddedGrid
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import parameter_vector
from twin.parameters import ALIGNMENT_PARAMETERS, AlignmentParameter


@dataclass(frozen=True, slots=True)
class _Light:
    """The light at parameters theta (P,), and what it meets.

    source (S h, S w), factors (N + 1, S h, S w), gap and way_out: as the twin returns them.
    modulations: of each group of frames at each plane. reaching: of each group, the field that reaches
    the layer behind each plane, and last the intensity on the output plane; nothing if not stored.
    """

    theta: Tensor
    source: Tensor
    factors: Tensor
    gap: Tensor
    way_out: Tensor
    modulations: list[list[Tensor]]
    reaching: list[list[Tensor]]


class CachedPath:
    """Modelled intensities of patterns, of which only that is computed anew which parameters change.

    Most parameters leave the modulators alone, and many act behind a plane only: light is followed from
    the first plane that a change reaches. The intensities are those of the twin, up to rounding.
    """

    def __init__(
        self, twin: DigitalTwin, inputs: Tensor, phases: Tensor, with_fields: bool = True
    ) -> None:
        """Prepare for patterns; nothing is computed yet.

        Args:
            twin: whose present parameters count at each call.
            inputs: (B, h, w), as displayed.
            phases: (B, N, h, w), as displayed.
            with_fields: whether the fields at all planes are stored too, and not modulations alone.
        """
        self.twin = twin
        self._with_fields = with_fields
        self._groups = list(
            zip(torch.split(inputs, TOGETHER), torch.split(phases, TOGETHER), strict=True)
        )
        self._planes = twin.geometry.layers + 1
        self._meets = _meeting(twin)
        self._stored: _Light | None = None

    def intensity(self) -> Tensor:
        """Return the intensity (B, h, w) at the twin's present parameters, and store its light."""
        return self._intensity(store=True)

    def nearby_intensity(self) -> Tensor:
        """Return the intensity (B, h, w) at parameters beside those whose light is stored."""
        return self._intensity(store=False)

    def _intensity(self, store: bool) -> Tensor:
        with torch.no_grad():
            light, changed = self._light()
            planes = self._planes
            modulated, tilted = changed[:planes], changed[planes : 2 * planes]
            source, gap, way_out = changed[2 * planes :]
            arriving, leaving = [source, *planes * [False]], [*(planes - 1) * [gap], way_out]
            touched = list(map(any, zip(modulated, tilted, arriving, leaving, strict=False)))
            first = touched.index(True) if any(touched) else planes
            before, found = self._stored, []
            for index, group in enumerate(self._groups):
                modulations = [
                    before.modulations[index][plane]
                    if before and not modulated[plane]
                    else self._modulation(plane, *group)
                    for plane in range(planes)
                ]
                stored = before.reaching[index][:first] if before and before.reaching else []
                reaching = self._reaching(light, modulations, stored)
                found.append(reaching[-1])
                if store:
                    light.modulations.append(modulations)
                    if self._with_fields:
                        light.reaching.append(reaching)
            if store:
                self._stored = light
            return self.twin.registered(torch.cat(found))

    def _light(self) -> tuple[_Light, list[bool]]:
        """Return what light meets at the present parameters, and which parts have changed."""
        twin, before = self.twin, self._stored
        theta = parameter_vector(twin)
        if before is None:
            source, factors = twin.source_field(), twin.plane_factors()
            gap, way_out = twin.gap_transfer(), twin.output_transfer()
            changed = [True] * len(self._meets)
        else:
            changed = (self._meets & (theta != before.theta).cpu()).any(1).tolist()
            tilted = any(changed[self._planes : 2 * self._planes])
            source = twin.source_field() if changed[-3] else before.source
            factors = twin.plane_factors() if tilted else before.factors
            gap = twin.gap_transfer() if changed[-2] else before.gap
            way_out = twin.output_transfer() if changed[-1] else before.way_out
        source, factors, gap, way_out = (
            part.to(twin.device) for part in (source, factors, gap, way_out)
        )
        return _Light(theta, source, factors, gap, way_out, [], []), changed

    def _reaching(
        self, light: _Light, modulations: list[Tensor], stored: list[Tensor]
    ) -> list[Tensor]:
        """Return the fields of a group behind each plane, and last the intensity; the first are stored."""
        reaching = list(stored)
        if len(reaching) == self._planes:
            return reaching
        grid = PaddedGrid(modulations[0], light.gap)
        gap, way_out = grid.laid_out(light.gap), grid.laid_out(light.way_out)
        for plane in range(len(reaching), self._planes):
            last = plane == self._planes - 1
            field = torch.empty_like(modulations[0], memory_format=torch.contiguous_format)
            for samples in grid.groups(len(field)):
                if plane == 0:
                    before, through = modulations[0][samples], light.source * light.factors[0]
                else:
                    before = reaching[-1][samples]
                    through = light.factors[plane] * modulations[plane][samples]
                grid.propagate(before, through, way_out if last else gap, field[samples])
            reaching.append(field.real.square() + field.imag.square() if last else field)
        return reaching

    def _modulation(self, plane: int, inputs: Tensor, phases: Tensor) -> Tensor:
        if plane == 0:
            return self.twin.input_modulation(inputs)
        return self.twin.layer_modulation(plane - 1, phases[:, plane - 1]).contiguous()


def _meeting(twin: DigitalTwin) -> Tensor:
    """Return which parts of the path change with each value of the parameters, (parts, P) bool.

    The parts are modulators, plane factors (each of input plane and layers), source, gap, and the way out.
    """
    columns = [
        _parts_of(record, row, twin.geometry.layers + 1)
        for record in ALIGNMENT_PARAMETERS
        for row in _rows(twin, record)
    ]
    return torch.stack(columns, 1)


def _rows(twin: DigitalTwin, record: AlignmentParameter) -> Iterator[int]:
    """Yield for each value its plane, if the parameter has values of each plane; else -1."""
    values = twin.get_parameter(record.name)
    of_planes = bool(record.shape) and record.shape[0] in ("layer", "patch")
    for index in range(values.numel()):
        row = index // (values.numel() // len(values)) if of_planes else 0
        yield twin.geometry.layers + 1 - len(values) + row if of_planes else -1


def _parts_of(record: AlignmentParameter, plane: int, planes: int) -> Tensor:
    parts = torch.zeros(2 * planes + 3, dtype=torch.bool)
    modulators, factors = parts[:planes], parts[planes : 2 * planes]
    source, way_out = parts[-3:-2], parts[-1:]
    everywhere = slice(None) if plane < 0 else slice(plane, plane + 1)
    match record.element:
        case "output_resampling":
            pass
        case "source":
            source[:] = True
        case "relay":
            way_out[:] = True
        case "pixel_response" | "phase_response":
            modulators[everywhere] = True
        case "backplane":
            factors[everywhere] = True
        case "cavity" if plane >= 0:
            factors[everywhere] = True
        case "cavity" if record.name == "d_alpha_beam_mrad":
            factors[0] = True
        case "cavity" if record.name == "d_alpha_mirror_mrad":
            factors[1:] = True
        case _:
            # The gap, and what is not known here.
            parts[:] = True
            if record.name == "z_gap_percent":
                modulators[:] = factors[:] = False
    return parts
