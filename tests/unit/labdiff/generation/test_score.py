"""Scores on a bench that has drifted since it was last measured."""

from __future__ import annotations

import pytest
import torch

from labdiff.generation.denoise import CATCH_UP_ROUNDS, FRAMES_COMPARED, score
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from tests.unit.labdiff.training.test_training_loop import CONFIG, OPTIONS, TILT_MRAD, TwinBench


@pytest.mark.parametrize("compared", [True, False])
def test_drift_is_followed_before_a_score_where_scores_are_compared(compared: bool) -> None:
    """The bench's mirror has turned by half of what one step follows, and the first frames show it."""
    bench = TwinBench()
    options = OPTIONS.model_copy(update={"comparisons": compared})
    session = TrainingSession.create(CalibratedBench(CONFIG, bench), options)  # type: ignore[arg-type]
    twin = session.calibrated.twin
    drifted = TILT_MRAD - torch.tensor([0.03, 0.02])
    twin.load_alignment(twin.state_dict() | {"d_alpha_mirror_mrad": drifted})
    session.calibrated.precompensate()
    score(session, "bench")
    first = [len(inputs) for inputs, *_ in bench.asked[:CATCH_UP_ROUNDS]]
    assert (first == [FRAMES_COMPARED] * CATCH_UP_ROUNDS) is compared
    error_mrad = float((twin.d_alpha_mirror_mrad - TILT_MRAD).norm())
    assert error_mrad < 0.02
