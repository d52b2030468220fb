"""The search for the alignment: stages from weak, blurred probes to sharp ones, each measured once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from labdiff.calibrations.probe_frames import ProbeKind, compared
from twin.alignment_fit import FitStep, Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.ghost import find_ghost
from twin.parameter_vector import reset, start_searches
from twin.parameters import FitPhase, free_in
from twin.prior import Estimate, load_estimates, prior_around, with_estimates


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
HELD_OUT_FRAMES, HELD_OUT_SEED = 4, 999
HELD_OUT: tuple[ProbeKind, float] = ("squares", 4)


def near(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Return stages that begin where the angles are known to a tenth of a milliradian."""
    return dataclasses.replace(stages[0], blur_px=NEAR_BLUR_PX), *stages[1:]


@dataclass(slots=True)
class ProbeSets:
    """Frames of the stages and held-out ones, each measured when it is first asked for.

    measure: takes the frames of a kind, strength, number and seed.
    """

    measure: Callable[[ProbeKind, float, int, int], Triples]
    _taken: dict[int, Triples] = field(default_factory=dict)

    def of_stage(self, number: int, stage: Stage) -> Triples:
        """Return the frames of a stage."""
        return self._once(stage.kind, stage.strength, stage.frames, 100 + number)

    def held_out(self) -> Triples:
        """Return the frames that are not fitted."""
        return self._once(*HELD_OUT, HELD_OUT_FRAMES, HELD_OUT_SEED)

    def _once(self, kind: ProbeKind, strength: float, frames: int, seed: int) -> Triples:
        if seed not in self._taken:
            self._taken[seed] = self.measure(kind, strength, frames, seed)
        return self._taken[seed]


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One iteration: its fit, the stage's number, the kind of its probes, and its frames."""

    fit: FitStep
    stage: Stage
    frames: Triples


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The last iteration, and how the twin predicts the held-out frames.

    held_out_d: discrepancy. unit: measured intensity over the twin's.
    """

    fit: FitStep
    held_out_d: float
    unit: float


def search(
    twin: DigitalTwin,
    probes: ProbeSets,
    estimates: Mapping[str, Estimate],
    stages: tuple[Stage, ...],
    start: Callable[[], None],
) -> Generator[SearchStep, None, SearchResult]:
    """Fit the twin from the data sheet, where it ends up; yield each iteration.

    Args:
        twin: is fitted.
        probes: frames of the bench.
        estimates: what other routines have measured, by the names of the values: start and prior.
        stages: of the search.
        start: gives the twin what is known of the angles.
    """
    reset(twin, free_in("finest"))
    start()
    load_estimates(twin, estimates)
    prior = with_estimates(prior_around(twin), twin, estimates)
    detailed: list[Triples] = []
    phase: FitPhase = "coarse"
    fit: FitStep | None = None
    for number, stage in enumerate(stages):
        triples = probes.of_stage(number, stage)
        if stage.phase != phase:
            phase = stage.phase
            start_searches(twin, phase)
            load_estimates(twin, estimates)
        detailed = [triples] if phase == "coarse" else [*detailed, triples]
        fitted = Triples.joined(detailed) if stage.together else triples
        finest = phase == "finest"
        if finest:
            find_ghost(twin, fitted)
        weighted = dataclasses.replace(prior, share=stage.prior_share)
        for fit in fit_alignment(
            twin, fitted, stage.blur_px, free_in(phase), weighted, chord=finest
        ):
            yield SearchStep(fit, stage, triples)
    if fit is None:
        raise ValueError("the stages have no iteration")
    return SearchResult(fit, *compared(twin, probes.held_out()))
