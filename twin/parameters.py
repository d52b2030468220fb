"""The alignment parameters of the twin: one record for each, and nowhere else a list of them.

Free of torch, so that the terminal and the window can name what a run recorded. To add a parameter, write
its formula in the element's module, its record here, and pass it on in `twin.digital_twin.DigitalTwin`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

Element = Literal[
    "cavity",
    "source",
    "output_resampling",
    "pixel_response",
    "phase_response",
    "backplane",
    "relay",
]
"""The module of `twin` in whose formula a parameter stands."""
FitPhase = Literal["coarse", "detailed", "finest"]
"""The phases of an alignment, in their order; a parameter is free from one of them on."""
FIT_PHASES: tuple[FitPhase, ...] = ("coarse", "detailed", "finest")
Dimension = Literal["layer", "patch", "axis", "row", "column"] | int
"""One dimension of a parameter: N layers, all patches on the SLM, (x, y), a patch's pixels, or terms."""
Recorded = Literal["each value", "absolute", "norm", "rms", "rms over patches", "not"]
"""What a run records: each value; the gap in mm; the root of the sum of all squares, of their mean, or of
the mean over the patches of each patch's sum; or nothing."""

NO_EDGE_PX = -5.0
"""A mirror edge so far outside the patch shades nothing."""


@dataclass(frozen=True, slots=True)
class Wander:
    """How a parameter moves by itself: rms of each of its values, in its units, and correlation time."""

    rms: float
    minutes: float


@dataclass(frozen=True, slots=True)
class AlignmentParameter:
    """One alignment parameter of the twin, of one or several values, each of the order of one.

    name: in the twin, in checkpoints and in calibration archives; it ends with the unit.
    display_name: what people read. shape: its dimensions. data_sheet: where every value starts.
    prior_sigma: how far a value may be from that, one standard deviation.
    fitted_from: the first phase of an alignment in which it is free: what is small beside wrong tilts and
    distances waits until those are about right. search_start: where its search starts, if the data
    sheet's value gives no slope to follow.
    unresolved: what one sample a pixel cannot resolve of it, one standard deviation, as a fit of it to
    two samples a pixel shows. wander: how it moves on a bench that stands, if it does.
    goes_with: powers of wavelength and of pitch with which its quantity has to change for the light to stay
    as it was; of_whole: the data sheet's value of it, in the parameter's units, if it is a share.
    recorded: what of it events and run files hold; recorded_stem: how that is called there, without the
    unit, if not as the parameter is. shown: whether the terminal, the reports and the window show it
    without being asked.
    """

    name: str
    display_name: str
    element: Element
    shape: tuple[Dimension, ...]
    prior_sigma: float
    fitted_from: FitPhase
    data_sheet: float = 0.0
    search_start: float | None = None
    unresolved: float = 0.0
    wander: Wander | None = None
    goes_with: tuple[float, float] = (0.0, 0.0)
    of_whole: float = 0.0
    recorded: Recorded = "each value"
    recorded_stem: str = ""
    shown: bool = False

    @property
    def unit(self) -> str:
        """Return the unit, as it stands at the end of the name."""
        return self.name.rpartition("_")[2]

    def sizes(
        self, layers: int, patches: int, patch_shape: tuple[int, int] = (1, 1)
    ) -> tuple[int, ...]:
        """Return the shape in numbers.

        Args:
            layers: how many.
            patches: on the SLM, the input's among them if it has one.
            patch_shape: (h, w) of a patch, of parameters that have a value for each pixel.
        """
        row, column = patch_shape
        known = {"layer": layers, "patch": patches, "axis": 2, "row": row, "column": column}
        return tuple(d if isinstance(d, int) else known[d] for d in self.shape)

    def value_names(self, sizes: Sequence[int]) -> tuple[str, ...]:
        """Return what archives call its values: its name, with an index if there are several."""
        count = math.prod(sizes)
        return (self.name,) if count == 1 else tuple(f"{self.name}[{i}]" for i in range(count))

    def recorded_names(self, sizes: Sequence[int]) -> tuple[str, ...]:
        """Return what events and run files call its values, units in the names."""
        match self.recorded:
            case "not":
                return ()
            case "absolute":
                return (f"{self._stem}_mm",)
            case "each value":
                places = product(*(range(size) for size in sizes))
                return tuple(self._recorded_name(place) for place in places)
            case _:
                return (f"{self._stem}_rms_{self.unit}",)

    def label(self, recorded_name: str) -> str:
        """Return what people read for one of its recorded values; empty if it is none of them."""
        found = re.fullmatch(
            rf"{self._stem}(\d*)_?([xy]*|rms)_{self._recorded_unit}", recorded_name
        )
        return " ".join((self.display_name, *filter(None, found.groups()))) if found else ""

    @property
    def _stem(self) -> str:
        return self.recorded_stem or self.name.rpartition("_")[0]

    @property
    def _recorded_unit(self) -> str:
        return "mm" if self.recorded == "absolute" else self.unit

    def _recorded_name(self, place: tuple[int, ...]) -> str:
        numbers, axes = "", ""
        for dimension, index in zip(self.shape, place, strict=True):
            if dimension == "axis":
                axes += "xy"[index]
            else:
                numbers += str(index + 1)
        return "_".join(part for part in (self._stem + numbers, axes, self.unit) if part)


ALIGNMENT_PARAMETERS = (
    AlignmentParameter(
        "z_gap_percent",
        "gap",
        element="cavity",
        shape=(),
        prior_sigma=3.0,
        fitted_from="coarse",
        recorded="absolute",
        shown=True,
        goes_with=(-1.0, 2.0),
        of_whole=100.0,
    ),
    AlignmentParameter(
        "d_alpha_beam_mrad",
        "beam tilt",
        element="cavity",
        shape=("axis",),
        prior_sigma=3.0,
        fitted_from="coarse",
        wander=Wander(0.03, 2.0),
        shown=True,
        goes_with=(1.0, -1.0),
    ),
    AlignmentParameter(
        "d_alpha_mirror_mrad",
        "mirror tilt",
        element="cavity",
        shape=("axis",),
        prior_sigma=2.0,
        fitted_from="coarse",
        wander=Wander(0.03, 2.0),
        shown=True,
        goes_with=(1.0, -1.0),
    ),
    # The tilts of single bounces are small beside the mirror's, which is common to all.
    AlignmentParameter(
        "bounce_tilt_mrad",
        "tilt at layer",
        element="cavity",
        shape=("layer", "axis"),
        prior_sigma=0.2,
        fitted_from="coarse",
        recorded_stem="bounce",
        goes_with=(1.0, -1.0),
    ),
    AlignmentParameter(
        "source_centre_px",
        "beam centre",
        element="source",
        shape=("axis",),
        prior_sigma=5.0,
        fitted_from="coarse",
    ),
    AlignmentParameter(
        "source_waist_percent",
        "beam waist",
        element="source",
        shape=(),
        prior_sigma=10.0,
        fitted_from="coarse",
        goes_with=(0.0, 1.0),
        of_whole=100.0,
    ),
    AlignmentParameter(
        "output_shift_px",
        "camera shift",
        element="output_resampling",
        shape=("axis",),
        prior_sigma=15.0,
        fitted_from="coarse",
        wander=Wander(0.03, 10.0),
    ),
    AlignmentParameter(
        "output_shear_percent",
        "camera shear",
        element="output_resampling",
        shape=("axis", "axis"),
        prior_sigma=2.0,
        fitted_from="coarse",
    ),
    AlignmentParameter(
        "crosstalk_px",
        "crosstalk",
        element="pixel_response",
        shape=(),
        prior_sigma=0.3,
        fitted_from="detailed",
        search_start=0.2,
        # Systematic: a fit with one sample a pixel finds 0.04 too much on every bench (decision 0036).
        unresolved=0.03,
        shown=True,
    ),
    AlignmentParameter(
        "zero_order_percent",
        "zero order",
        element="pixel_response",
        shape=(),
        prior_sigma=5.0,
        fitted_from="detailed",
        unresolved=0.25,
    ),
    AlignmentParameter(
        "backplane_rad",
        "backplane",
        element="backplane",
        shape=("patch", 3),
        prior_sigma=0.1,
        fitted_from="detailed",
        recorded="rms over patches",
    ),
    AlignmentParameter(
        "defocus_percent",
        "defocus",
        element="relay",
        shape=(),
        prior_sigma=0.5,
        fitted_from="detailed",
        goes_with=(-1.0, 2.0),
    ),
    AlignmentParameter(
        "aberration_rad",
        "aberration",
        element="relay",
        shape=(11,),
        prior_sigma=0.1,
        fitted_from="detailed",
        recorded="norm",
    ),
    AlignmentParameter(
        "mirror_edge_px",
        "mirror edge",
        element="source",
        shape=(),
        prior_sigma=3.0,
        fitted_from="detailed",
        data_sheet=NO_EDGE_PX,
        search_start=1.0,
    ),
    AlignmentParameter(
        "source_modes_percent",
        "beam structure",
        element="source",
        shape=(12, 2),
        prior_sigma=2.0,
        fitted_from="finest",
        recorded="rms",
    ),
    AlignmentParameter(
        "ghost_percent",
        "window ghost",
        element="source",
        shape=(2,),
        prior_sigma=0.7,
        fitted_from="finest",
        recorded="norm",
    ),
    AlignmentParameter(
        "ghost_mrad",
        "window ghost's angle",
        element="source",
        shape=("axis",),
        prior_sigma=2.0,
        fitted_from="finest",
        recorded="not",
        goes_with=(1.0, -1.0),
    ),
    AlignmentParameter(
        "stroke_percent",
        "phase stroke",
        element="phase_response",
        shape=("patch", 3),
        prior_sigma=1.0,
        fitted_from="finest",
        wander=Wander(0.1, 30.0),
        recorded="rms",
    ),
    AlignmentParameter(
        "bend_rad",
        "phase table's bend",
        element="phase_response",
        shape=(4,),
        prior_sigma=0.02,
        fitted_from="finest",
        recorded="rms",
    ),
    AlignmentParameter(
        "distortion_percent",
        "camera distortion",
        element="output_resampling",
        shape=(),
        prior_sigma=0.2,
        fitted_from="finest",
    ),
)
"""All parameters of the twin, in the order in which archives, checkpoints and covariances hold them."""

STRAY_MODES = 5
"""Number of cosines along each axis that make up the stray field, of up to two fringes over the plane."""
FREE_FORM_PARAMETERS = (
    AlignmentParameter(
        "phase_map_rad",
        "phase map",
        element="phase_response",
        shape=("patch", "row", "column"),
        prior_sigma=0.2,
        fitted_from="finest",
        recorded="rms",
    ),
    AlignmentParameter(
        "stray_percent",
        "stray light",
        element="cavity",
        shape=(STRAY_MODES, STRAY_MODES, 2),
        prior_sigma=10.0,
        fitted_from="finest",
        recorded="norm",
    ),
)
"""The free-form part, for what no parameter above describes: thousands of values that no calibration fits.

A twin has none of them until online learning finds that it needs them; `twin.free_form` fits them.
"""

MODULATOR_PARAMETERS = frozenset(
    p.name for p in ALIGNMENT_PARAMETERS if p.element in ("pixel_response", "phase_response")
)
"""The parameters of what the modulators do to light; all others are of the path between them."""
PATH_PARAMETERS = frozenset(p.name for p in ALIGNMENT_PARAMETERS if p.fitted_from == "coarse")
"""The parameters that lead the light: alone of weight while the twin is far off."""
REGISTRATION_PARAMETERS = frozenset(
    p.name
    for p in ALIGNMENT_PARAMETERS
    if p.element == "output_resampling" and p.fitted_from == "coarse"
)
"""The parameters that correct the registration, which takes them over."""
WANDERING_PARAMETERS = frozenset(p.name for p in ALIGNMENT_PARAMETERS if p.wander is not None)
"""The parameters that change on a bench that stands: camera, beam, mirror, and the SLM's stroke."""


def free_in(phase: FitPhase) -> frozenset[str]:
    """Return the names of the parameters that are free in a phase of an alignment."""
    last = FIT_PHASES.index(phase)
    return frozenset(
        p.name for p in ALIGNMENT_PARAMETERS if FIT_PHASES.index(p.fitted_from) <= last
    )


def shown_names() -> Iterator[tuple[str, str]]:
    """Yield what is shown without being asked: the name in archives, and the one in events and runs."""
    for parameter in ALIGNMENT_PARAMETERS:
        if parameter.shown:
            sizes = parameter.sizes(layers=1, patches=1)
            yield from zip(
                parameter.value_names(sizes), parameter.recorded_names(sizes), strict=True
            )
