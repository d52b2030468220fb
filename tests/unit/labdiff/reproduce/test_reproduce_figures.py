"""Every figure at a tiny size, on the embedded digits; what they share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from labdiff.events import StageStarted, TrainingStep
from labdiff.job import Job, run
from labdiff.metrics import classifier
from labdiff.reproduce import figure3, figure4, figure5, figure6, figure7, figure8, figure9
from labdiff.reproduce.bench_sizes import paper_bench, resized_bench, with_values
from labdiff.reproduce.context import Context
from labdiff.reproduce.power_law import fit_power_law
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.result_cache import cached_rows
from labdiff.reproduce.scan import Point, ScanSettings
from labdiff.reproduce.trained_units import images_along_t, standard_options, trained_unit

TINY: dict[str, Any] = {
    "offline_steps": 2,
    "image_size": 10,
    "layer_sets": 2,
    "timestep_edges": (300,),
    "batch": 2,
    "sampler_steps": 4,
}
TINY_SCAN = ScanSettings(
    data="digits",
    base=Point(20, 2, 2),
    sides=(20, 30),
    layers=(1, 2),
    layer_sets=(1, 2),
    budget=4,
    count=12,
    options={"image_size": 10, "batch": 2, "sampler_steps": 4},
)


@pytest.fixture(autouse=True)
def quick_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "STEPS", 10)


def found(job: Job[Result], tmp_path: Path, name: str) -> list[Row]:
    """Run the job, write what it found, check that it is whole."""
    result = run(job)
    paths = result.write(tmp_path, name)
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert result.rows
    assert "aper" in result.sentence and "nan" not in result.sentence
    return result.rows


def test_figure3(tmp_path: Path) -> None:
    settings = figure3.Figure3Settings(data=("digits",), count=12, points=3, options=TINY)
    rows = found(figure3.job(Context("figure3", tmp_path), settings), tmp_path, "figure3")
    assert len(rows) == 6
    assert [row["t"] for row in rows if row["recipe"] == "ours"][-1] == 0
    assert all(number(row["classifier_fid"]) >= 0.0 for row in rows)
    assert "fid" not in rows[0], "without Inception weights nothing is called FID"


def test_figure4(tmp_path: Path) -> None:
    settings = figure4.Figure4Settings(data="digits", sizes=(5, 10), options=TINY)
    rows = found(figure4.job(Context("figure4", tmp_path), settings), tmp_path, "figure4")
    assert [row["image_size"] for row in rows] == [5, 10]
    assert rows[0]["parameters"] == rows[1]["parameters"] == 2 * 4 * 100 * 100
    assert all(number(row["mse_wiener"]) < number(row["mse_identity"]) for row in rows)


def test_figures_5_and_6_train_each_unit_once(tmp_path: Path) -> None:
    rows = found(figure5.job(Context("figure5", tmp_path), TINY_SCAN), tmp_path, "figure5")
    assert len(rows) == 6 and {row["panel"] for row in rows} == {"side", "layers", "layer_sets"}
    assert {row["steps"] for row in rows} == {4}, "the budget is the same for all"
    units = list((tmp_path / "units-small-seed0").glob("*.h5"))
    assert len(units) == 4, "the unit that all panels share is trained once"

    events: list[object] = []
    job = figure6.job(Context("figure6", tmp_path), TINY_SCAN)
    result = run(job, watch=[events.append])
    assert not [e for e in events if isinstance(e, (TrainingStep, StageStarted))], "all was kept"
    assert "single layer" in result.sentence
    result.write(tmp_path, "figure6")


def test_a_single_moment_is_the_images_themselves(tmp_path: Path) -> None:
    context = Context("figure5", tmp_path)
    bench = resized_bench(bench_text("mock")[1], (20, 20), 2)
    unit = run(trained_unit(context, bench, standard_options(context, "digits", "ours", **TINY)))
    last = run(images_along_t(unit, 3, 1))
    way = run(images_along_t(unit, 3, 4))
    assert last.t == (0,) and way.t[-1] == 0 and len(way.t) == 4
    assert torch.equal(last.images[0], way.images[-1])
    assert not torch.equal(last.images[0], way.images[0])


def test_a_cut_figure5_trains_only_what_is_missing(tmp_path: Path) -> None:
    context = Context("figure5", tmp_path)

    def steps_of(limit: int | None) -> int:
        job, steps = figure5.job(context, TINY_SCAN), 0
        for event in job:
            steps += isinstance(event, TrainingStep)
            if steps == limit:
                break
        job.close()
        return steps

    cut = steps_of(6)  # in the middle of the second unit, which has no checkpoint yet
    rest = steps_of(None)
    assert (cut, rest) == (6, 4 * 4 - 4)
    assert steps_of(None) == 0


def test_figure7_methods_see_the_same_batches(tmp_path: Path) -> None:
    settings = figure7.Figure7Settings(
        data="digits",
        steps=6,
        options={**TINY, "layer_sets": 5, "timestep_edges": ()},
    )
    rows = found(figure7.job(Context("figure7", tmp_path), settings), tmp_path, "figure7")
    assert len(rows) == 4 * 6
    by_method = {name: [r for r in rows if r["method"] == name] for name in figure7.NAMES}
    firsts = {number(curve[0]["mse"]) for curve in by_method.values()}
    assert len(firsts) == 1, "before the first update all have the experiment's light of one batch"
    assert all(
        number(r["discrepancy"]) == pytest.approx(0.0, abs=1e-5) for r in by_method["calibrated"]
    )
    ends = {name: number(curve[-1]["discrepancy"]) for name, curve in by_method.items()}
    assert ends["online"] < 0.7 * ends["backpropagation"]


def test_figure8(tmp_path: Path) -> None:
    settings = figure8.Figure8Settings(
        data="digits", side=20, image_size=10, count=12, options=TINY
    )
    rows = found(figure8.job(Context("figure8", tmp_path), settings), tmp_path, "figure8")
    assert rows[-1]["t"] == 0 and rows[-1]["count"] == 12


def test_figure9(tmp_path: Path) -> None:
    settings = figure9.Figure9Settings(data="digits", t=(150, 800), options=TINY)
    rows = found(figure9.job(Context("figure9", tmp_path), settings), tmp_path, "figure9")
    assert [row["t"] for row in rows] == [150, 800]
    # A standardised prediction has the error 2 (1 - correlation), but for the noise's own mean and norm.
    for row in rows:
        expected = 2.0 * (1.0 - number(row["correlation"]))
        assert number(row["noise_mse"]) == pytest.approx(expected, abs=0.15)


def test_a_power_law_is_found_exactly() -> None:
    x = [1e3, 4e3, 2e4, 3e5]
    law = fit_power_law(x, [700.0 * v**-0.15 for v in x])
    assert law.factor == pytest.approx(700.0)
    assert [law.exponent, law.low, law.high] == pytest.approx([-0.15] * 3)
    assert law(1e6) == pytest.approx(700.0 * 1e6**-0.15)
    with pytest.raises(ValueError, match="two points"):
        fit_power_law([5.0, 5.0], [1.0, 2.0])


def test_its_interval_holds_the_true_exponent() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(20):
        x = np.geomspace(1e3, 1e6, 12)
        y = 300.0 * x**-0.15 * np.exp(0.1 * rng.standard_normal(12))
        law = fit_power_law(x.tolist(), y.tolist())
        inside += law.low <= -0.15 <= law.high
    assert inside >= 15


def test_a_resized_bench_is_a_bench() -> None:
    text = bench_text("mock")[1]
    assert resized_bench(text, (100, 100), 4) == text, "what is the same stays as it is written"
    config, before = parse_bench(resized_bench(text, (60, 80), 5), "x"), parse_bench(text, "x")
    assert config.cavity.patch_shape == (60, 80) and config.layers == 5
    assert config.gap_mm == before.gap_mm
    assert config.source.waist_mm / 80 == pytest.approx(before.source.waist_mm / 100)
    assert config.mock == before.mock and config.camera == before.camera
    paper = parse_bench(paper_bench(), "x")
    assert paper.cavity.patch_shape == (300, 300) and paper.layers == 4
    assert paper.slm.shape == (1152, 1920), "the paper's panel holds them"
    assert math.isclose(paper.source.waist_mm, 1.56 * 300 / 260)


def test_values_that_are_not_there_are_named() -> None:
    with pytest.raises(KeyError, match=r"cavity\.colour"):
        with_values(bench_text("mock")[1], {("cavity", "colour"): 3})


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    context = Context("figure7", tmp_path)
    settings = figure7.Figure7Settings(data="digits", steps=1, options=TINY)
    path = context.stored("curve.json")
    path.write_text("[{", encoding="utf-8")
    with pytest.raises(UserError, match=r"curve\.json: cannot be read.*Remove it"):
        run(cached_rows(path, lambda: figure7.learn(context, settings, "offline")))
