"""Read sweep files: what all trials share, and the values of which every combination is a trial."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.validation_messages import explain
from labdiff.atomic_write import digest
from labdiff.config.bench import SHIPPED, bench_text, parse_bench
from labdiff.config.options_file import training_options
from labdiff.config.toml_text import parse_toml, read_toml_file
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.sweep.bench_overrides import override_values

MOST = 10_000
"""Largest number of trials; a larger grid is more often a mistake than intended."""


class _Grid(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    options: dict[str, Any] = Field(default_factory=dict)
    bench: dict[str, Any] = Field(default_factory=dict)


class _SweepFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    bench: str = "mock"
    where: Literal["twin", "bench"] = "twin"
    cpus: int = Field(default=1, ge=1, le=1024)
    gpus: float = Field(default=0.0, ge=0.0, le=64.0)
    options: dict[str, Any] = Field(default_factory=dict)
    grid: _Grid = _Grid()


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination. values: its values of the grid, by key; bench_text: the text of its bench file."""

    number: int
    values: dict[str, Any]
    where: Literal["twin", "bench"]
    options: TrainingOptions
    bench_text: str

    @property
    def file_name(self) -> str:
        """Name of the run file, from the settings alone: a grid that grows finds the trials done."""
        options = self.options.model_dump_json(by_alias=True, exclude={"device"})
        return f"trial-{digest(self.where + self.bench_text + options)}.h5"


@dataclass(frozen=True, slots=True)
class Sweep:
    """All trials, and the number of cores and GPUs that each needs."""

    name: str
    trials: tuple[Trial, ...]
    cpus: int
    gpus: float


def read_sweep(path: Path) -> Sweep:
    """Read and check a sweep file, with every trial that it makes.

    Raises UserError, which names the file, the key, the value and what is allowed.
    """
    try:
        text = read_toml_file(path, "a sweep file")
        wanted = _SweepFile.model_validate(parse_toml(text, str(path)))
    except ValidationError as error:
        raise UserError(explain(error, str(path), _SweepFile)) from None
    axes = {f"options.{key}": values for key, values in wanted.grid.options.items()}
    axes |= {f"bench.{key}": values for key, values in _flat(wanted.grid.bench).items()}
    for key, values in axes.items():
        _check_axis(path, key, values)
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MOST:
        raise UserError(f"{path}: grid: {count} combinations; allowed are at most {MOST}")
    twice = sorted(set(wanted.options) & set(wanted.grid.options))
    if twice:
        raise UserError(f"{path}: options.{twice[0]}: is in [grid.options] too; leave one out")
    bench = wanted.bench if wanted.bench in SHIPPED else str(path.parent / wanted.bench)
    text = bench_text(bench)[1]
    trials = []
    for number, point in enumerate(itertools.product(*axes.values())):
        values = dict(zip(axes, point, strict=True))
        trials.append(_trial(path, number, values, wanted, text))
    first: dict[str, Trial] = {}
    for trial in trials:
        same = first.setdefault(trial.file_name, trial)
        if same is not trial:
            raise UserError(
                f"{path}: grid: trials {same.number} and {trial.number} are the same, "
                f"{trial.values}; name each value once"
            )
    return Sweep(path.stem, tuple(trials), wanted.cpus, wanted.gpus)


def _trial(path: Path, number: int, values: dict[str, Any], wanted: _SweepFile, text: str) -> Trial:
    name = f"{path}, trial {number}"
    options, bench = _part("options.", values), _part("bench.", values)
    made = training_options(wanted.options | options, f"{name}, options")
    try:
        text = override_values(text, bench)
    except UserError as error:
        raise UserError(f"{name}, bench: {error}") from None
    config = parse_bench(text, f"{name}, bench")
    if wanted.where == "bench" and config.camera.driver != "mock":
        raise UserError(
            f'{path}: where = "bench": the bench has real devices, and trials run at the same time; '
            'allowed is a simulated bench, or where = "twin"'
        )
    return Trial(number, values, wanted.where, made, text)


def _check_axis(path: Path, key: str, values: Any) -> None:
    if not isinstance(values, list) or not values:
        raise UserError(
            f"{path}: grid.{key} = {values!r}: allowed is a list of values, such as [1, 2]"
        )


def _flat(nested: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return the values of nested sections by keys with dots."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat


def _part(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}
