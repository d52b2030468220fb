"""A bench that suddenly is another one: training pauses, finds out what moved, and goes on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from calibration.result import CalibrationError
from drivers.protocols import Camera
from labdiff.bench.batch import NextBatch, ShouldStop
from labdiff.bench.measurement import Measurement
from labdiff.events import AlignmentStep, StageStarted, TrainingStep
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from labdiff.training.realignment import PROBE_FRAMES
from tests.unit.labdiff.training.test_training_loop import CONFIG, OPTIONS, TILT_MRAD, TwinBench

KNOCK_MRAD = torch.tensor([1.6, -1.2])
STEPS, KNOCKED_AT = 24, 12


class KnockedBench(TwinBench):
    """Its mirror turns with one of the batches. lost: from then on no twin has anything to say about it."""

    camera: Camera

    def __init__(self, lost: bool = False) -> None:
        super().__init__()
        self.probes = 0
        self._lost = lost

    def acquire(
        self,
        inputs: np.ndarray,
        layers: np.ndarray,
        should_stop: ShouldStop,
        next_batch: NextBatch = lambda: None,
    ) -> torch.Tensor:
        if len(self.asked) == KNOCKED_AT:
            turned = {"d_alpha_mirror_mrad": TILT_MRAD + KNOCK_MRAD}
            self._twin.load_alignment(self._twin.state_dict() | turned)
        light = super().acquire(inputs, layers, should_stop, next_batch)
        if self._lost and len(self.asked) > KNOCKED_AT:
            light = torch.rand(
                light.shape, generator=torch.Generator().manual_seed(len(self.asked))
            )
        return light

    def measure(self, inputs: np.ndarray, layers: np.ndarray) -> Measurement:
        self.probes += len(inputs)
        return self.to_intensity(self.acquire(inputs, layers, lambda: False))


def test_a_knocked_mirror_is_noticed_found_and_compensated() -> None:
    bench = KnockedBench()
    options = OPTIONS.model_copy(update={"online_steps": STEPS, "overlap": False})
    session = TrainingSession.create(CalibratedBench(CONFIG, bench), options)  # type: ignore[arg-type]
    session.position.stage = "online"
    events: list[object] = []
    run(train(session, "online"), record=[events.append])
    steps = [e for e in events if isinstance(e, TrainingStep)]
    assert len(steps) == STEPS, "it goes on to the end"
    before = float(steps[KNOCKED_AT - 3].discrepancy or "nan")
    knocked = [i for i, s in enumerate(steps) if float(s.discrepancy or 0.0) > 100.0 * before]
    assert knocked, "the knock shows"
    said = [(i, e.stage) for i, e in enumerate(events) if isinstance(e, StageStarted)][1:]
    assert [words.split(":")[0] for _, words in said] == [
        "the bench has changed",
        "the bench is known again",
    ]
    learnt = sum(isinstance(e, TrainingStep) for e in events[: said[0][0]])
    assert learnt - knocked[0] <= 5, "noticed within five steps"
    assert bench.probes == PROBE_FRAMES == 20
    found = [e for e in events if isinstance(e, AlignmentStep)]
    assert "mirror turned by 1." in found[-1].message
    ends = [float(s.discrepancy or "nan") for s in steps[-5:]]
    assert max(ends) < 0.01 * max(float(s.discrepancy or 0.0) for s in steps), "it learns again"
    assert torch.allclose(
        session.calibrated.twin.planes_tilt_rad()[1, :] * 1e3, TILT_MRAD + KNOCK_MRAD, atol=0.05
    )


def test_what_no_calibration_explains_ends_with_a_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise CalibrationError("alignment: the aligned twin misses held-out probes")

    monkeypatch.setattr("labdiff.training.realignment.measure_routines", fails)
    options = OPTIONS.model_copy(update={"online_steps": STEPS, "overlap": True})
    session = TrainingSession.create(CalibratedBench(CONFIG, KnockedBench(lost=True)), options)  # type: ignore[arg-type]
    session.position.stage = "online"
    events: list[object] = []
    with pytest.raises(
        CalibrationError, match=r"changed suddenly .* a new calibration does not help"
    ):
        run(train(session, "online"), record=[events.append])
    words = [e.stage for e in events if isinstance(e, StageStarted)]
    assert any("calibrating again" in stage for stage in words)
