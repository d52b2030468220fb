"""The forward pass of each method of training."""

from __future__ import annotations

from labdiff.session.training_session import TrainingSession
from labdiff.training.forward import BenchForward, RefinedForward, TwinForward
from labdiff.training.methods import Method
from labdiff.training.model_free import PolicyGradientForward, SpsaForward


def forward_of(session: TrainingSession, method: Method) -> TwinForward:
    """Return the forward pass of a method."""
    match method:
        case "physics_aware":
            return BenchForward(session)
        case "online":
            return RefinedForward(session)
        case "spsa":
            return SpsaForward(session)
        case "policy_gradient":
            return PolicyGradientForward(session)
        case _:
            return TwinForward(session)
