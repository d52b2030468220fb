"""Faults in the middle of a series of measurements: noticed, or without effect, never silent."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from benchmarks.claims import Claim, claim
from benchmarks.mock_checks.benches import SMALL, block_phases, lit
from benchmarks.parts import Outcome, Setting
from calibration.dark import DarkLevel
from calibration.layout import PatchLayout
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.result import Verdict
from drivers.errors import DeviceError
from labdiff.bench.bench import Bench
from labdiff.bench.devices import BenchDevices
from labdiff.bench.measurement import Measurement
from mock_hardware.fault_script import CHANGES, FOR_EVER, Fault
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockFaultSettings, MockSettings

Kind = Literal["slm_patch", "dmd"]
Answer = Measurement | DeviceError
Images = npt.NDArray[np.float32]

MEASURES, BATCH = 4, 3
"""A series: so many batches, each with its own inputs and layers, as in training."""
LENGTHS = (1, 3, FOR_EVER)
"""Frames that a fault lasts."""
BY_CHANCE: tuple[Fault, ...] = ("dropped", "duplicated", "torn", "late")
CHANCE = 0.1


def _prepared(kind: Kind, chances: Iterable[Fault], seed: int) -> tuple[MockLaboratory, Bench]:
    """Return a small bench without noise, calibrated by the truth: equal frames are equal to the bit."""
    faults = MockFaultSettings.model_validate(dict.fromkeys(chances, CHANCE))
    dials = MockSettings(threads=1).off().model_copy(update={"faults": faults})
    lab = lit(dataclasses.replace(SMALL, input_kind=kind), dials, seed)
    layout = PatchLayout(
        SMALL.panel_shape, SMALL.patch_shape, SMALL.patch_top, SMALL.patch_lefts, 9.2, 850.0, 11.4
    )
    devices = BenchDevices(
        lab.slm, lab.camera, lab.laser, lab.world.clock, lab.dmd, frames_name_patterns=True
    )
    bench = Bench(layout, devices)
    fine = Verdict("pass", "as the truth has it")
    bench.dark = DarkLevel(0.0, 0.0, 0.0, fine)
    bench.registration = Registration(
        lab.world.truth.camera_matrix, lab.world.truth.camera_offset_px, 0.0, 0.0, fine
    )
    bench.rectifier = Rectifier(bench.registration, lab.camera.roi, SMALL.patch_shape)
    return lab, bench


def _patterns(kind: Kind) -> Iterator[tuple[Images, Images]]:
    """Yield inputs (B, h, w) and layers (N, h, w), batch by batch."""
    layers = len(SMALL.patch_lefts) - (1 if kind == "slm_patch" else 0)
    for number in range(MEASURES):
        inputs = block_phases(BATCH, SMALL.patch_shape, 6, seed=number)
        if kind == "dmd":
            inputs /= np.float32(2.0 * np.pi)
        yield inputs, block_phases(layers, SMALL.patch_shape, 6, seed=100 + number)


def _series(bench: Bench, kind: Kind) -> list[Answer]:
    """Return what the bench answers to each batch. It is asked again also after an error."""
    answers: list[Answer] = []
    for inputs, layers in _patterns(kind):
        try:
            answers.append(bench.measure(inputs, layers))
        except DeviceError as error:
            answers.append(error)
    return answers


@cache
def _flat_light(kind: Kind) -> float:
    """Return the unit of intensity, in counts per ms: by it the bench tells dark from light."""
    lab, bench = _prepared(kind, (), 0)
    flat = np.zeros((len(SMALL.patch_lefts), *SMALL.patch_shape), np.float32)
    with lab.world.workers:
        if kind == "dmd":
            return float(bench.measure(np.ones_like(flat[:1]), flat).intensity.mean())
        return float(bench.measure(flat[:1], flat[1:]).intensity.mean())


def _run(
    kind: Kind, script: tuple[Fault, int, int] | None, chances: tuple[Fault, ...], seed: int
) -> list[Answer]:
    """Measure a series on a fresh bench. script: fault, first and last frame, counted within the series."""
    lab, bench = _prepared(kind, chances, seed)
    bench.counts_per_ms_per_unit = _flat_light(kind)
    if script is not None:
        lab.world.faults.add(*script)
    with lab.world.workers:
        return _series(bench, kind)


@cache
def _faultless(kind: Kind, seed: int) -> list[Answer]:
    return _run(kind, None, (), seed)


def _outcome(answers: list[Answer], faultless: list[Answer]) -> str:
    """Return what a run came to: the worst of its batches."""
    found = {_verdict(answer, right) for answer, right in zip(answers, faultless, strict=True)}
    return next(word for word in ("silent", "raised", "flagged", "same") if word in found)


def _verdict(answer: Answer, right: Answer) -> str:
    if isinstance(right, DeviceError):
        raise right
    if isinstance(answer, DeviceError):
        return "raised"
    if np.array_equal(answer.intensity, right.intensity):
        return "same"
    return "flagged" if answer.saturated_fraction > right.saturated_fraction else "silent"


def _scripted(
    kinds: Iterable[Kind], fault: Fault, positions: Iterable[int], lengths: Iterable[int]
) -> Iterator[str]:
    """Yield outcomes with a fault at several places of the series, passing and for good."""
    for kind in kinds:
        for first in positions:
            for length in lengths:
                answers = _run(kind, (fault, first, first + length - 1), (), 0)
                yield _outcome(answers, _faultless(kind, 0))


def _by_chance(kinds: Iterable[Kind], faults: tuple[Fault, ...], seeds: int) -> Iterator[str]:
    """Yield outcomes with each frame at a risk."""
    for kind in kinds:
        for seed in range(seeds):
            yield _outcome(_run(kind, None, faults, seed), _faultless(kind, seed))


def _claim(name: str, outcomes: Iterable[str]) -> Claim:
    count = Counter(outcomes)
    return claim(
        f"{name}: silent wrong data in {count.total()} runs ({count['raised']} raised, "
        f"{count['flagged']} flagged, {count['same']} as without the fault)",
        count["silent"],
        "<= 0",
    )


def measure(setting: Setting) -> Outcome:
    """Meet faults: one claim a type, then several types at once."""
    both: tuple[Kind, ...] = get_args(Kind)
    kinds = setting.amount("kinds of input", smoke=both[:1], quick=both, full=both)
    rng = np.random.default_rng(0)
    inner = rng.permutation(np.arange(2, MEASURES * BATCH))
    places = setting.amount("places of a fault", smoke=1, quick=2, full=len(inner))
    positions = [int(first) for first in inner[:places]]
    lengths = setting.amount(
        "frames that a fault lasts", smoke=LENGTHS[:1], quick=LENGTHS[::2], full=LENGTHS
    )
    seeds = setting.amount("runs with faults by chance", smoke=1, quick=2, full=20)
    claims = []
    for fault in (each for each in get_args(Fault) if each not in CHANGES):
        outcomes = list(_scripted(kinds, fault, positions, lengths))
        if fault in BY_CHANCE:
            outcomes += _by_chance(kinds, (fault,), seeds)
        claims.append(_claim(fault, outcomes))
    claims.append(_claim(f"{', '.join(BY_CHANCE)} together", _by_chance(kinds, BY_CHANCE, seeds)))
    return Outcome(claims)
