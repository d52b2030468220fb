"""Held-out errors by timestep range: the unit beside Wiener, identity, the paper's recipe and the peers."""

from __future__ import annotations

from statistics import mean
from typing import Any

from benchmarks.claims import Claim, claim
from benchmarks.generation_checks.electronics import Electronics
from benchmarks.generation_checks.units import Units, training_s
from benchmarks.parts import Outcome
from labdiff.generation.denoise import denoise
from labdiff.metrics.baselines import WienerDenoiser, WienerFilter, identity_prediction
from labdiff.metrics.noise_error import Predictor
from labdiff.metrics.range_error import RangeError, range_errors
from labdiff.reproduce.digital_denoisers.architectures import build_denoiser
from labdiff.reproduce.digital_denoisers.prediction import predictor
from labdiff.reproduce.digital_denoisers.training import DenoiserTraining, train_denoiser
from labdiff.session.training_session import TrainingSession
from labdiff.training.methods import step_counts

Errors = dict[str, tuple[RangeError, ...]]
UNET_SHARE = 0.025
"""The U-Net gets this share of the unit's training images: on one core all would take hours."""


def measure(units: Units, peers: bool) -> Outcome:
    """Measure the errors on every data set: claims, and the table of all errors."""
    claims: list[Claim] = []
    tables: dict[str, Any] = {}
    longest_s = 0.0
    for data in units.data_sets:
        ours, paper = units.trained(data, "ours"), units.trained(data, "paper")
        errors = _errors(units, data, ours.session, paper.session, peers)
        claims += _claims(data, errors)
        tables[data] = {name: _table(found) for name, found in errors.items()}
        longest_s = max(longest_s, training_s(ours))
    claims.append(claim("longest training of the best unit, minutes", longest_s / 60.0, "<= 30"))
    return Outcome(claims, tables)


def _errors(
    units: Units, data: str, unit: TrainingSession, paper: TrainingSession, peers: bool
) -> Errors:
    images, schedule = unit.images, unit.schedule
    predictors: dict[str, Predictor] = {
        "ours": _predictor(unit),
        "paper": _predictor(paper),
        "wiener": WienerDenoiser(images.train, schedule),
        "wiener_each_t": WienerFilter(images.train, schedule),
        "electronics_alone": Electronics(images.train, schedule, units.seed),
        "identity": lambda x_t, _: identity_prediction(x_t),
    }
    if peers:
        shown = _images_shown(unit)
        for name, share in (("fully connected net", 1.0), ("U-Net", UNET_SHARE)):
            net = build_denoiser(name, (images.train.shape[1], images.train.shape[2]), units.seed)
            training = DenoiserTraining(round(shown * share), seed=units.seed)
            path = units.context.stored(f"{data}-{name.replace(' ', '-')}.h5")
            units.do(train_denoiser(net, images.train, training, schedule, path))
            predictors[f"{name}, {training.images} images"] = predictor(net)
    count = units.setting.amount("held-out images a range", smoke=2, quick=20, full=500)
    return {
        name: range_errors(predict, images.test, schedule, (), count, units.seed)
        for name, predict in predictors.items()
    }


def _predictor(session: TrainingSession) -> Predictor:
    return lambda x_t, t: denoise(session, x_t, t, "twin")[0]


def _images_shown(session: TrainingSession) -> int:
    """Return the number of training images of all layer sets, repetitions counted."""
    return session.options.batch * sum(step_counts(session.options, "offline"))


def _claims(data: str, errors: Errors) -> list[Claim]:
    ours, wiener = errors["ours"], errors["wiener"]
    ratios = [a.clean_mse.value / b.clean_mse.value for a, b in zip(ours, wiener, strict=True)]
    ratios += [
        a.noise_mse.value / b.noise_mse.value
        for a, b in zip(ours, wiener, strict=True)
        if a.noise_mse is not None and b.noise_mse is not None
    ]
    below = sum(ratio < 1.0 for ratio in ratios) / len(ratios)
    claims = [
        claim(f"{data}: error over Wiener, worst range", max(ratios), "<= 1.05"),
        claim(f"{data}: share of ranges below Wiener", below, ">= 0.5"),
    ]
    for other in ("identity", "paper"):
        for kind in ("noise", "clean"):
            over = _mean(ours, kind) / _mean(errors[other], kind)
            claims.append(claim(f"{data}: mean {kind} error over that of {other}", over, "<= 0.6"))
    return claims


def _mean(errors: tuple[RangeError, ...], kind: str) -> float:
    values = [error.noise_mse if kind == "noise" else error.clean_mse for error in errors]
    return mean(value.value for value in values if value is not None)


def _table(errors: tuple[RangeError, ...]) -> list[dict[str, float | int | None]]:
    return [
        {
            "first_t": error.first_t,
            "noise_mse": error.noise_mse.value if error.noise_mse else None,
            "clean_mse": error.clean_mse.value,
            "clean_mse_standard_error": error.clean_mse.standard_error,
        }
        for error in errors
    ]
