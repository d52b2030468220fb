"""`labdiff reproduce`: its files, its words, and what it says of a mistake."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from matplotlib.figure import Figure
from typer.testing import CliRunner

from labdiff.cli.reproduce import register
from labdiff.errors import UserError
from labdiff.reproduce.context import Context
from labdiff.reproduce.result import Result
from labdiff.reproduce.results import RESULTS, open_result

Command = Callable[..., str]


@pytest.fixture
def reproduce() -> Command:
    """Run the command, give what it printed to stdout, raise what it raised."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)

    def call(*words: object) -> str:
        done = CliRunner().invoke(app, ["reproduce", *map(str, words)])
        if done.exception is not None:
            raise done.exception
        return done.stdout

    return call


def test_table1_writes_picture_table_and_sentence(reproduce: Command, tmp_path: Path) -> None:
    said = reproduce("table1", "--out", tmp_path, "--bench", "mock", "--watts", 30, "--json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["table1.csv", "table1.png", "table1.txt"]
    assert (tmp_path / "table1.png").read_bytes().startswith(b"\x89PNG")
    sentence = (tmp_path / "table1.txt").read_text(encoding="utf-8").strip()
    assert said.startswith(sentence)
    assert "23.0 images/s (paper 23.0: agrees) at 0.23 J" in sentence
    assert "15.2 mJ with one-to-one pixels (paper about 15 mJ: agrees)" in sentence

    with (tmp_path / "table1.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["kind"] for row in rows} == {"modelled", "measured here", "paper"}
    here = {row["system"]: row for row in rows if row["kind"] == "measured here"}
    assert set(here) == {
        "simulated bench mock on this computer",
        "fully connected net",
        "U-Net",
    }
    unet = here["U-Net"]
    assert float(unet["energy_an_image_j"]) * float(unet["images_a_second"]) == pytest.approx(
        30.0, rel=1e-4
    )
    assert here["simulated bench mock on this computer"]["energy_an_image_j"] == ""

    told = json.loads(said.splitlines()[-1])
    assert told["sentence"] == sentence and len(told["rows"]) == len(rows)


def test_mistakes_are_named(reproduce: Command, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="reproduce figure0: no such result; there are .*table1"):
        reproduce("figure0", "--out", tmp_path)
    with pytest.raises(UserError, match="--scale huge: allowed are small, paper"):
        reproduce("table1", "--scale", "huge", "--out", tmp_path)
    with pytest.raises(UserError, match="--watts -3"):
        reproduce("table1", "--watts", -3, "--out", tmp_path)
    with pytest.raises(UserError, match="nowhere.toml: no such bench file"):
        reproduce("table1", "--bench", "nowhere.toml", "--out", tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_listed_result_has_a_job(tmp_path: Path) -> None:
    for name in RESULTS:
        open_result(name, Context(name, tmp_path)).close()
    assert not list(tmp_path.iterdir()), "nothing is done before the first event is asked for"


def test_sub_runs_of_other_scales_and_seeds_lie_apart(tmp_path: Path) -> None:
    small = Context("figure3", tmp_path, seed=1)
    path = small.stored("fashion", "peer.h5")
    assert path.parent.is_dir()
    others = [
        Context("figure3", tmp_path, seed=2),
        Context("figure3", tmp_path, "paper", seed=1),
        Context("figure4", tmp_path, seed=1),
    ]
    assert len({path, *(other.stored("fashion", "peer.h5") for other in others)}) == 4
    assert (small.choose(1, 2), others[1].choose(1, 2)) == (1, 2)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="--out"):
        Context("table1", tmp_path / "file").stored("x")
    with pytest.raises(UserError, match="--out"):
        Result(Figure()).write(tmp_path / "file", "table1")


def test_csv_has_the_columns_of_all_rows(tmp_path: Path) -> None:
    rows: list[dict[str, str | int | float | None]] = [
        {"name": "a, b", "count": 3},
        {"name": "c", "share": 1 / 3, "count": None},
    ]
    text = Result(Figure(), rows, "").csv_text()
    assert text == 'name,count,share\n"a, b",3,\nc,,0.333333\n'
