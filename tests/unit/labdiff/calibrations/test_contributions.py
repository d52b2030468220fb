"""What routines have measured of the twin: the alignment's prior, and part of checkpoints."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from calibration.beam import FIRST_SIDE, BeamFound
from calibration.result import Verdict
from calibration.spots import LensSpots
from calibration.superpixel_fit import unwrap
from calibration.wavefront import Wavefront
from labdiff.bench.open import open_bench, patch_layout
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.beam import BEAM, estimates
from labdiff.calibrations.routines import IMAGING
from labdiff.calibrations.twin_alignment import ALIGNMENT
from labdiff.calibrations.wavefront import estimates as estimates_of_wavefront
from labdiff.config.bench import load_bench, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import make_checkpoint, resume
from labdiff.session.training_session import TrainingSession
from tests.support.mock_bench import laboratory_of
from tests.unit.labdiff.training.test_resume import BENCH
from twin.parameter_vector import prior_sigma, value_names
from twin.prior import Estimate, combined, data_sheet_prior, load_estimates, with_estimates
from twin.spot_phase import spot_field

PLACE = "source_centre_px[0]"


def test_a_sure_and_wrong_contribution_is_named_by_the_alignment_and_left_out() -> None:
    """A routine that is sure of the beam's place, and wrong: the others would bend to make up for it."""
    config = parse_bench(BENCH, "small")
    calibrated = CalibratedBench(config, open_bench(config, 0))
    with calibrated.bench:
        run(measure_routines(calibrated, (*IMAGING, "phase response")))
        calibrated.contribute("knife edge", {PLACE: Estimate(2.5, 1e-3)})
        frames = calibrated.bench.frames_taken
        found = run(ALIGNMENT.measure(calibrated))
        once = calibrated.bench.frames_taken - frames
    truth_px = laboratory_of(calibrated.bench).world.truth.beam_centre_um[0] / 9.2
    assert abs(truth_px - 2.5) > 0.5
    value = found.value[found.names.index(PLACE)]
    assert abs(value - truth_px) < 0.7 * abs(2.5 - truth_px), "nearer than what was contributed"
    assert found.verdict.level == "warn"
    assert f"{PLACE} = 2.5 ± 0.001 by knife edge and " in found.verdict.reason
    assert found.verdict.remedy == "Measure knife edge again, or state a wider deviation there."
    assert once < 80, "the second fit takes no frames of its own"


def gaussian_beam(centre_px: tuple[float, float], waist_px: float, noise: float) -> BeamFound:
    """What `measure_beam` finds of a Gaussian on patches of 60 x 60, without an edge."""
    places = np.arange(60) - 29.5
    x, y = (np.exp(-((places - c) ** 2) / waist_px**2) for c in centre_px)
    block = np.arange(60) * FIRST_SIDE // 60
    means = [np.bincount(block, line) / np.bincount(block) for line in (y, x)]
    amplitude = means[0][:, None] * means[1][None, :]
    amplitude /= np.sqrt(np.mean(amplitude**2))
    rng = np.random.default_rng(0)
    seen = amplitude * (1.0 + noise * rng.normal(size=amplitude.shape))
    sigma, none, pair = noise * amplitude, math.nan, np.zeros(2)
    last = np.ones((6, 6))
    return BeamFound(
        seen, sigma, last, last, pair, pair, pair, pair, pair, none, none, 0.0, 0.0, pair, 0.0,
        Verdict("pass", ""),
    )  # fmt: skip


def test_a_measured_beam_gives_the_twin_its_place_and_waist() -> None:
    config = parse_bench(BENCH, "small")
    calibrated = CalibratedBench(config)
    nominal_px = config.source.waist_mm / config.slm.pixel_pitch_um * 1e3
    BEAM.apply(calibrated, gaussian_beam((1.5, -2.0), 1.03 * nominal_px, 0.003))
    found = calibrated.estimates
    true = {PLACE: 1.5, "source_centre_px[1]": -2.0, "source_waist_percent": 3.0}
    for name, value in true.items():
        assert abs(found[name].value - value) < 3.0 * found[name].sigma
    assert found[PLACE].sigma < 0.5 * 5.0, "less than half of what the data sheet leaves open"
    assert "mirror_edge_px" not in found, "none was seen"


def test_an_uncertain_crosstalk_makes_the_beam_uncertain() -> None:
    config = parse_bench(BENCH, "small")
    twin = CalibratedBench(config).twin
    sure = gaussian_beam((0.0, 0.0), config.source.waist_mm / 9.2e-3, 0.001)
    # On one side more than on the other, as if the beam lay elsewhere.
    error = np.broadcast_to(0.1 * (np.arange(FIRST_SIDE) - 3.0), (FIRST_SIDE, FIRST_SIDE))
    unsure = dataclasses.replace(sure, crosstalk_error=error)
    places = [estimates(twin, beam).get(PLACE) for beam in (sure, unsure)]
    assert places[0] is not None
    assert places[1] is None or places[1].sigma > 1.5 * places[0].sigma


def test_a_measured_wavefront_gives_the_twin_the_relays_aberrations() -> None:
    """Made by another twin with an aberration, and with a tilt of the mirror, which is no aberration."""
    config = parse_bench(BENCH, "small")
    twin, other = CalibratedBench(config).twin, CalibratedBench(config).twin
    aberration = torch.zeros(11)
    aberration[7] = 0.2
    tilted = {"aberration_rad": aberration, "d_alpha_mirror_mrad": torch.tensor([1.0, -0.5])}
    other.load_alignment(other.state_dict() | tilted)
    middle = (np.array(config.cavity.patch_shape) - 1.0) / 2.0
    lens_rad = LensSpots(patch_layout(config)).kernel(middle)
    light = spot_field(other, torch.from_numpy(lens_rad)).numpy()
    phase = unwrap(np.angle(light), np.abs(light))
    amplitude = np.abs(light) / np.abs(light).max()
    found = Wavefront(phase, amplitude, 0.01, 0.01, 0.03, 1.0, 0.0, Verdict("pass", ""))
    told = estimates_of_wavefront(twin, found, lens_rad)
    assert set(told) <= {f"aberration_rad[{i}]" for i in range(11)} | {"defocus_percent"}
    assert abs(told["aberration_rad[7]"].value - 0.2) < 2.0 * told["aberration_rad[7]"].sigma
    assert told["aberration_rad[7]"].value > 0.1
    for name, estimate in told.items():
        true = 0.2 if name == "aberration_rad[7]" else 0.0
        assert abs(estimate.value - true) < 3.0 * estimate.sigma


def test_a_bench_with_a_dmd_learns_nothing_of_its_source_from_the_first_layer() -> None:
    calibrated = CalibratedBench(load_bench("mock-paper"))
    BEAM.apply(calibrated, gaussian_beam((0.0, 0.0), 40.0, 0.01))
    assert calibrated.estimates == {}


def test_independent_estimates_of_one_value_are_weighted_by_their_variances() -> None:
    found = combined(
        [{"a": Estimate(1.0, 1.0)}, {"a": Estimate(3.0, 0.5), "b": Estimate(0.0, 2.0)}]
    )
    assert found["a"].value == pytest.approx((1.0 + 4.0 * 3.0) / 5.0)
    assert found["a"].sigma == pytest.approx(5.0**-0.5)
    assert found["b"] == Estimate(0.0, 2.0)


def test_an_estimate_replaces_the_data_sheets_prior_and_start() -> None:
    twin = CalibratedBench(parse_bench(BENCH, "small")).twin
    told = {PLACE: Estimate(1.25, 0.1), "z_gap_percent": Estimate(0.5, 99.0)}
    prior = with_estimates(data_sheet_prior(twin), twin, told)
    names = value_names(twin)
    index, gap = names.index(PLACE), names.index("z_gap_percent")
    assert float(prior.mean[index]) == 1.25 and float(prior.sigma[index]) == pytest.approx(0.1)
    assert float(prior.sigma[gap]) == 3.0, "never wider than the data sheet"
    changed = (prior.sigma != prior_sigma(twin)).nonzero()[:, 0].tolist()
    assert changed == [index]
    load_estimates(twin, told)
    assert torch.equal(twin.source_centre_px.detach(), torch.tensor([1.25, 0.0]))


def test_contributions_are_part_of_a_checkpoint() -> None:
    options = TrainingOptions(layer_sets=1, image_size=5)
    config = parse_bench(BENCH, "small")
    first, second = (TrainingSession.create(CalibratedBench(config), options) for _ in range(2))
    first.calibrated.contribute("beam", {PLACE: Estimate(1.5, 0.25)})
    resume(second, make_checkpoint(first), "this one")
    assert second.calibrated.contributions == first.calibrated.contributions
