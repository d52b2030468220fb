"""What every benchmark shares: its options, its parts, and how much of each is measured."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from rich.console import Console

from benchmarks.claims import Claim, print_claims, print_json

T = TypeVar("T")


class Scale(Enum):
    """How much is measured."""

    SMOKE = "smoke"
    """Every part once, as small as it can be: that the code runs."""
    QUICK = "quick"
    """A faithful subset, within a minute on two slow cores."""
    FULL = "full"
    """Everything that the claims are about."""


@dataclass(slots=True)
class Setting:
    """How a benchmark was called.

    say: prints a line of progress. quiet: only the JSON line is wanted. seeds: how many random benches
    were asked for; None for as many as the scale has. left_out: what this scale does not measure.
    """

    scale: Scale = Scale.FULL
    say: Callable[[str], None] = lambda line: None
    quiet: bool = True
    seeds: int | None = None
    left_out: list[str] = field(default_factory=list)

    @property
    def smoke(self) -> bool:
        """True if only that the code runs is of interest."""
        return self.scale is Scale.SMOKE

    def amount(self, what: str, *, smoke: T, quick: T, full: T) -> T:
        """Return how much of something this scale measures, and note what it leaves out."""
        chosen = {Scale.SMOKE: smoke, Scale.QUICK: quick, Scale.FULL: full}[self.scale]
        if chosen != full:
            self.left_out.append(f"{what}: {_shown(chosen)} in place of {_shown(full)}")
        return chosen

    def benches(self, full: int, quick: int = 1) -> range:
        """Return the seeds of the random benches that this scale measures."""
        if self.seeds is not None:
            return range(self.seeds)
        return range(self.amount("random benches", smoke=1, quick=quick, full=full))

    def leave_out(self, what: str) -> None:
        """Note something that is not measured, and why."""
        self.left_out.append(what)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a part measured: its claims, and figures that stand beside them in the JSON line."""

    claims: list[Claim]
    figures: Mapping[str, object] = field(default_factory=dict)


class NotPossibleError(Exception):
    """A part cannot be measured here; the message says what is missing."""


Part = Callable[[Setting], Outcome]


def parser(
    description: str | None, parts: Iterable[str], *, seeds: bool = False
) -> argparse.ArgumentParser:
    """Return the options that all benchmarks share.

    Args:
        description: The benchmark's docstring.
        parts: Names of its parts.
        seeds: True if it measures random benches, whose number may be asked for.
    """
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--json", action="store_true", help="print only the JSON line")
    scale = result.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="a faithful subset within a minute")
    scale.add_argument("--smoke", action="store_true", help="each part as small as it can be")
    result.add_argument(
        "--part", action="append", choices=list(parts), help="this part alone; may be repeated"
    )
    if seeds:
        result.add_argument("--seeds", type=int, help="how many random benches")
    return result


def run_parts(
    benchmark: str,
    parts: Mapping[str, Part],
    arguments: argparse.Namespace,
    *,
    not_quick: Collection[str] = (),
) -> None:
    """Measure the chosen parts, then print their claims and the JSON line.

    Args:
        benchmark: The name in the JSON line.
        parts: What is measured, by name.
        arguments: The options of `parser`, as given.
        not_quick: Parts that take minutes at their smallest: `--quick` measures them only if asked to.
    """
    console = Console(stderr=True, quiet=arguments.json, highlight=False, markup=False)
    setting = Setting(
        _scale(arguments), console.print, arguments.json, getattr(arguments, "seeds", None)
    )
    claims: list[Claim] = []
    figures: dict[str, Mapping[str, object]] = {}
    seconds: dict[str, dict[str, float]] = {}
    for name in arguments.part or parts:
        if not arguments.part and setting.scale is Scale.QUICK and name in not_quick:
            setting.leave_out(f"part {name}: takes more than a minute")
            continue
        console.print(f"{name} ...")
        started_s, started_cpu_s = time.perf_counter(), _cpu_s()
        try:
            outcome = parts[name](setting)
        except NotPossibleError as error:
            setting.leave_out(f"part {name}: {error}")
            continue
        finally:
            seconds[name] = {
                "wall": round(time.perf_counter() - started_s, 1),
                "cpu": round(_cpu_s() - started_cpu_s, 1),
            }
        claims += outcome.claims
        figures[name] = outcome.figures
        console.print(f"  {seconds[name]['wall']} s")
    left_out = list(dict.fromkeys(setting.left_out))
    if not arguments.json:
        print_claims(claims)
        for line in left_out:
            print(f"left out: {line}")
    print_json(
        benchmark,
        claims,
        scale=setting.scale.value,
        left_out=left_out,
        seconds=seconds,
        figures=figures,
    )


def _scale(arguments: argparse.Namespace) -> Scale:
    if arguments.smoke:
        return Scale.SMOKE
    return Scale.QUICK if arguments.quick else Scale.FULL


def _cpu_s() -> float:
    """Return seconds of the processor that this process and its ended children have used."""
    return sum(os.times()[:4])


def _shown(amount: object) -> str:
    match amount:
        case int():
            return f"{amount:,}"
        case float():
            return f"{amount:.3g}"
        case tuple():
            return ", ".join(_shown(each) for each in amount)
    return str(amount)
