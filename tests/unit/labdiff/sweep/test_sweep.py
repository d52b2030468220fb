"""A grid of trials: what it makes, what it computes and what not, and what its table says."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from labdiff.config.bench import SHIPPED, bench_text
from labdiff.errors import JobStoppedError, UserError
from labdiff.events import EvaluationStep, Event
from labdiff.job import run
from labdiff.runs.reader import read_run
from labdiff.sweep import trial
from labdiff.sweep.bench_overrides import override_values
from labdiff.sweep.driver import SweepDriver
from labdiff.sweep.sweep_file import read_sweep
from labdiff.training.twin_only import TwinTraining
from labdiff.workers.task import Task
from tests.support.inline_workers import InlineWorkers
from tests.unit.labdiff.training.test_twin_only import SMALL

SWEEP = """
bench = "small.toml"
[options]
layer_sets = 2
offline_steps = 4
batch = 2
[grid.options]
learning_rate = [0.1, 0.2]
seed = [0, 1]
"""


@pytest.fixture(autouse=True)
def tell_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "REPORT_SECONDS", -1.0)


def sweep_file(folder: Path, text: str = SWEEP) -> Path:
    (folder / "small.toml").write_text(SMALL, encoding="utf-8")
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml"


def driver(folder: Path, workers: InlineWorkers, text: str = SWEEP) -> SweepDriver:
    return SweepDriver(read_sweep(sweep_file(folder, text)), folder / "out", workers)


def rows(made: SweepDriver) -> list[dict[str, str]]:
    with made.table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def without_times(table: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in table]


@pytest.mark.parametrize("lose", [None, (2, 3)])
def test_every_combination_is_a_trial_with_a_file_and_a_row(
    tmp_path: Path, lose: tuple[int, int] | None
) -> None:
    workers = InlineWorkers(2, lose)
    made = driver(tmp_path, workers)
    seen: list[Event] = []
    run(made.job(), watch=[seen.append])
    table = rows(made)
    assert [(row["options.learning_rate"], row["options.seed"]) for row in table] == [
        ("0.1", "0"), ("0.1", "1"), ("0.2", "0"), ("0.2", "1"),
    ]  # fmt: skip
    for row, outcome in zip(table, made.outcomes, strict=True):
        kept = read_run(made.table.parent / row["file"])
        assert (row["outcome"], kept.outcome) == ("completed", "completed")
        assert kept.columns["training"]["step"].tolist() == list(range(5)), "no step twice"
        assert float(row["mse_offline_twin"]) == kept.figures["mse_offline_twin"]
        alone = TwinTraining(tmp_path / f"alone-{row['trial']}.h5", SMALL, outcome.trial.options)
        session = run(alone.job())
        assert (session.odu.phases.detach().numpy() == kept.checkpoint["odu.phases"]).all()
    last = [event for event in seen if isinstance(event, EvaluationStep)][-1]
    assert (last.step, last.total) == (3, 4)
    assert sorted(workers.begun) == ([0, 1, 2, 3] if lose is None else [0, 1, 2, 2, 3])


def test_a_stopped_sweep_goes_on_and_computes_nothing_twice(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    complete = driver(whole, InlineWorkers(1))
    run(complete.job())

    first, seen = driver(tmp_path, InlineWorkers(1)), list[Event]()

    def stop() -> bool:
        return "trial 1: 3/5" in str(seen[-1])

    with pytest.raises(JobStoppedError):
        run(first.job(), watch=[seen.append], should_stop=stop)
    assert [row["outcome"] for row in rows(first)] == ["completed", "stopped", "waiting", "waiting"]

    class Noting(InlineWorkers):
        starts: dict[int, int | None] = {}  # noqa: RUF012

        def submit(self, key: int, task: Task) -> None:
            start = task.argument.start
            self.starts[key] = None if start is None else int(start.scalars["step"])
            super().submit(key, task)

    workers = Noting(1)
    second = driver(tmp_path, workers)
    run(second.job())
    assert workers.starts == {1: 3, 2: None, 3: None}
    assert without_times(rows(second)) == without_times(rows(complete))
    third = InlineWorkers(1)
    run(driver(tmp_path, third).job())
    assert third.begun == []


def test_a_grid_that_grows_finds_what_is_done(tmp_path: Path) -> None:
    run(driver(tmp_path, InlineWorkers(1)).job())
    workers = InlineWorkers(1)
    larger = driver(tmp_path, workers, SWEEP.replace("[0.1, 0.2]", "[0.05, 0.1, 0.2]"))
    run(larger.job())
    assert workers.begun == [0, 1], "the two with 0.05"
    assert len(rows(larger)) == 6


def test_a_trial_that_fails_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    text = SWEEP.replace("seed = [0, 1]", "image_size = [7, 10]")
    made = driver(tmp_path, InlineWorkers(2), text)
    run(made.job())
    assert [row["outcome"] for row in rows(made)] == ["failed", "completed"] * 2
    assert "image_size = 7" in rows(made)[0]["reason"]


def test_keys_of_the_bench_are_swept_too(tmp_path: Path) -> None:
    text = SWEEP.replace("seed = [0, 1]", "") + "[grid.bench.cavity]\nz_gap_mm = [0.8, 1.0]\n"
    found = read_sweep(sweep_file(tmp_path, text))
    gaps = [tomllib.loads(trial.bench_text)["cavity"]["z_gap_mm"] for trial in found.trials]
    assert gaps == [0.8, 1.0, 0.8, 1.0]
    assert list(found.trials[0].values) == ["options.learning_rate", "bench.cavity.z_gap_mm"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_bench_text_with_other_values_differs_in_those_alone(name: str) -> None:
    text = bench_text(name)[1]
    wanted = tomllib.loads(text)
    wanted["cavity"]["patch_lefts"] = [1, 2, 3]
    wanted["slm"]["driver"] = 'a "b"'
    wanted.setdefault("watchdog", {})["laser_every_ms"] = 7.5
    values = {
        "cavity.patch_lefts": [1, 2, 3],
        "slm.driver": 'a "b"',
        "watchdog.laser_every_ms": 7.5,
        "name": "other",
    }
    changed = override_values(text, values)
    assert tomllib.loads(changed) == wanted | {"name": "other"}
    assert changed.count("#") >= text.count("#") - 4, "other lines keep their comments"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("batch = 2", "batch = 0"), r"trial 0, options: batch = 0: .*greater than or equal to 1"),
        (("batch = 2", "bach = 2"), r"bach: unknown key; did you mean 'batch'"),
        (("[0, 1]", "3"), r"grid.options.seed = 3: allowed is a list of values, such as \[1, 2\]"),
        (("[0, 1]", "[0, 0]"), r"trials 0 and 1 are the same"),
        (("batch = 2", "seed = 2"), r"options.seed: is in \[grid.options\] too"),
        (('bench = "small.toml"', 'bench = "none.toml"'), r"none.toml: no such bench file"),
        (('bench = "small.toml"', "cpus = 0"), r"cpus = 0: .*greater than or equal to 1"),
        (("[0, 1]", "[0, 1"), r"study.toml: not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_sweep(sweep_file(tmp_path, SWEEP.replace(*change)))


def test_real_devices_are_not_swept(tmp_path: Path) -> None:
    file = sweep_file(tmp_path, 'where = "bench"\n' + SWEEP)
    real = SMALL.replace('driver = "mock"', 'driver = "basler"')
    (tmp_path / "small.toml").write_text(real, encoding="utf-8")
    with pytest.raises(UserError, match="allowed is a simulated bench"):
        read_sweep(file)
