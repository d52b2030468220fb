"""The search for the alignment: stages from weak, blurred probes to sharp ones, each measured once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from labdiff.calibrations.probe_frames import ProbeKind, compared
from twin.alignment_fit import FitStep, Triples, fit_alignment, frame_curvatures
from twin.digital_twin import DigitalTwin
from twin.ghost import find_ghost
from twin.parameter_vector import reset, start_searches
from twin.parameters import FitPhase, free_in
from twin.prior import Estimate, Prior, load_estimates, prior_around, with_estimates


@dataclass(frozen=True, slots=True)
class Stage:
    """Probes of one kind and strength (rms rad, squares, or pixels a block), and how they are fitted.

    phase: of the alignment; it says which parameters are free. blur_px: of each iteration, coarse to
    fine; none if the frames are for a later stage. together: fitted with the frames of the stages before
    in which the details were free, and the last before. prior_share: as `twin.prior.Prior` has it.
    """

    phase: FitPhase
    kind: ProbeKind
    strength: float
    frames: int
    blur_px: tuple[float, ...]
    together: bool = False
    prior_share: float = 1e-2


STAGES = (
    Stage("coarse", "smooth", 0.7, 8, (8.0, 8.0, 6.0, 6.0, 5.0, 4.0)),
    Stage("coarse", "smooth", 1.5, 10, (4.0, 3.0, 3.0, 2.0)),
    Stage("detailed", "smooth", 2.5, 10, (2.0, 1.0, 0.0)),
    Stage("detailed", "squares", 4, 10, ()),
    Stage("finest", "blocks", 8, 10, (0.0, 0.0), together=True, prior_share=1e-4),
)
"""Weak phases and blurred images first; sharp squares and turns of 2 pi, as layers have them, last."""
NEAR_BLUR_PX = (5.0, 4.0)
"""Blurs of the first stage, where rays have measured the angles to a tenth of a milliradian."""
FEW = 1
"""Frames of each stage with which the search is tried first."""
CHOSEN = 4
"""Number of probes that are chosen by what they tell, and measured together."""
CHOSEN_BLUR_PX = (0.0, 0.0)
"""Blurs of the iterations after further probes: the fit is close by."""
HELD_OUT_FRAMES, HELD_OUT_SEED = 4, 999
SEEDS = 10_000
"""Seeds of a search: those of the next one are as much larger."""
HELD_OUT: tuple[ProbeKind, float] = ("squares", 4)


def near(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Return stages that begin where the angles are known to a tenth of a milliradian."""
    return dataclasses.replace(stages[0], blur_px=NEAR_BLUR_PX), *stages[1:]


def few(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Return the same stages with a few frames each."""
    return tuple(dataclasses.replace(each, frames=min(FEW, each.frames)) for each in stages)


Choose = Callable[[FitStep, int], Triples]
"""Measures as many probes, which tell most of what a fit has left open."""


@dataclass(slots=True)
class ProbeSets:
    """Frames of the stages and held-out ones, each measured when it is first asked for.

    measure: takes the frames of a kind, strength, number and seed. number: of the search, which gives it
    patterns of its own.
    """

    measure: Callable[[ProbeKind, float, int, int], Triples]
    number: int = 0
    _taken: dict[int, Triples] = field(default_factory=dict)

    def of_stage(self, number: int, stage: Stage) -> Triples:
        """Return the frames of a stage."""
        return self._once(stage.kind, stage.strength, stage.frames, 100 + number)

    def held_out(self) -> Triples:
        """Return the frames that are not fitted."""
        return self._once(*HELD_OUT, HELD_OUT_FRAMES, HELD_OUT_SEED)

    def _once(self, kind: ProbeKind, strength: float, frames: int, seed: int) -> Triples:
        if seed not in self._taken:
            own_seed = seed + SEEDS * self.number
            self._taken[seed] = self.measure(kind, strength, frames, own_seed)
        return self._taken[seed]


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One iteration: its fit, the kind of its probes, and its frames."""

    fit: FitStep
    kind: str
    frames: Triples


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The last iteration, and how the twin predicts the held-out frames.

    held_out_d: discrepancy. unit: measured intensity over the twin's.
    """

    fit: FitStep
    held_out_d: float
    unit: float


Searching = Generator[SearchStep, None, SearchResult]


class Search:
    """A search for the alignment, from the data sheet and what other routines have measured."""

    def __init__(
        self, twin: DigitalTwin, probes: ProbeSets, estimates: Mapping[str, Estimate]
    ) -> None:
        """Begin at the data sheet.

        Args:
            twin: is fitted.
            probes: frames of the bench.
            estimates: what other routines have measured, by the names of the values: start and prior.
        """
        self._twin, self._probes, self._estimates = twin, probes, estimates
        self._detailed: list[Triples] = []
        self._prior: Prior | None = None

    def through(self, stages: tuple[Stage, ...], start: Callable[[], None]) -> Searching:
        """Fit the twin from the data sheet, where it ends up; yield each iteration.

        Args:
            stages: of the search.
            start: gives the twin what is known of the angles.
        """
        twin, estimates = self._twin, self._estimates
        reset(twin, free_in("finest"))
        start()
        load_estimates(twin, estimates)
        prior = with_estimates(prior_around(twin), twin, estimates)
        phase: FitPhase = "coarse"
        fit: FitStep | None = None
        for number, stage in enumerate(stages):
            triples = self._probes.of_stage(number, stage)
            if stage.phase != phase:
                phase = stage.phase
                start_searches(twin, phase)
                load_estimates(twin, estimates)
            self._detailed = [triples] if phase == "coarse" else [*self._detailed, triples]
            fitted = Triples.joined(self._detailed) if stage.together else triples
            finest = phase == "finest"
            if finest:
                find_ghost(twin, fitted)
            self._prior = dataclasses.replace(prior, share=stage.prior_share)
            for fit in fit_alignment(
                twin, fitted, stage.blur_px, free_in(phase), self._prior, chord=finest
            ):
                yield SearchStep(fit, f"{stage.kind} probes", triples)
        if fit is None:
            raise ValueError("the stages have no iteration")
        return self._compared(fit)

    def further(self, fit: FitStep, choose: Choose) -> Searching:
        """Fit the twin to further probes too, which are chosen by what they tell; yield each iteration.

        Args:
            fit: the last one.
            choose: measures the probes.
        """
        chosen = choose(fit, CHOSEN)
        self._detailed.append(chosen)
        fitted = Triples.joined(self._detailed)
        free = free_in("finest")
        for fit in fit_alignment(self._twin, fitted, CHOSEN_BLUR_PX, free, self._prior, chord=True):
            yield SearchStep(fit, "chosen probes", chosen)
        return self._compared(fit)

    def _compared(self, fit: FitStep) -> SearchResult:
        return SearchResult(fit, *compared(self._twin, self._probes.held_out()))


def left_open(twin: DigitalTwin, result: SearchResult, held_out: Triples) -> float:
    """Return the share of the held-out discrepancy that comes from what the fit has left open.

    To first order: D is half the square of what normalised frames differ by.

    Args:
        twin: as it was fitted.
        result: of the search.
        held_out: frames that were not fitted.
    """
    curvatures = frame_curvatures(twin, held_out.inputs, held_out.phases)
    covariance = result.fit.covariance.double()
    d = 0.5 * float((curvatures.mean(0) * covariance).sum())
    return d / max(result.held_out_d, 1e-12)
