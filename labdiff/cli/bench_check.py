"""The command `labdiff bench check`: go through a bench file, device by device, then with light."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from labdiff.errors import UserError

if TYPE_CHECKING:
    from labdiff.bench.check_devices import CheckFinding
    from labdiff.config.bench import BenchConfig

MARKS = {"ok": "ok     ", "note": "note   ", "warning": "WARNING", "wrong": "WRONG  "}


def register(group: typer.Typer) -> None:
    """Add the command to the group `labdiff bench`."""
    group.command("check")(_check)


def _check(
    bench: Annotated[str, typer.Argument(help="Bench file, or a shipped bench.")] = "mock",
    seed: Annotated[int, typer.Option(help="Seed of a mock laboratory.", min=0)] = 0,
    dark: Annotated[
        bool, typer.Option("--dark", help="Switch no laser on: check the devices alone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """Open each device, compare it with the bench file, then see that light, counts and frames follow."""
    from labdiff.config.bench import read_bench_file
    from labdiff.config.simulated import simulated_devices

    config = read_bench_file(bench).config
    findings: list[CheckFinding] = []
    for finding in _findings(config, seed, dark):
        findings.append(finding)
        if not as_json:
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            print(f"{MARKS[finding.level]} {finding.device}: {finding.message}{remedy}", flush=True)
    wrong = [finding for finding in findings if finding.level == "wrong"]
    following = _next_step(config, bench, bool(wrong))
    if as_json:
        print(
            json.dumps(
                {
                    "findings": [asdict(each) for each in findings],
                    "next": following,
                    "simulated": simulated_devices(config),
                }
            )
        )
    else:
        if simulated := simulated_devices(config):
            print(simulated)
        print(f"next: {following}")
    if wrong:
        raise UserError(
            f"{len(wrong)} of {len(findings)} checks failed; see the lines marked WRONG"
        )


def _findings(config: BenchConfig, seed: int, dark: bool) -> Iterator[CheckFinding]:
    """Yield what is found; light is only tried on devices that are as they were declared."""
    from drivers.absent import NONE
    from drivers.operator import someone_is_asked
    from labdiff.bench.check_devices import CheckFinding, check_devices
    from labdiff.bench.check_light import check_light
    from labdiff.bench.open import open_bench
    from labdiff.bench.presence import lacking

    good = True
    for finding in check_devices(config):
        good = good and finding.level != "wrong"
        yield finding
    lacks = lacking(config)
    if not good or dark or any(lack.kind == "camera" for lack in lacks):
        return
    if config.laser.driver == NONE and not someone_is_asked():
        yield CheckFinding(
            "laser",
            "note",
            "light is not checked: a person blocks and frees the beam, and nobody can be asked here",
            "Run it in a terminal.",
        )
    else:
        with closing(open_bench(config, seed)) as bench:
            yield from check_light(bench, lacks)


def _next_step(config: BenchConfig, bench: str, wrong: bool) -> str:
    """Return what a person does next with this bench."""
    if wrong:
        return f"mend what is marked WRONG, the first one first; then labdiff bench check {bench}"
    from labdiff.bench.presence import lacking, listed

    lacks = lacking(config)
    if not lacks:
        return f"labdiff calibrate --bench {bench}"
    if lacks[0].kind == "camera":
        now = f"display patterns: labdiff gui --bench {bench}"
    else:
        now = f"look at frames: labdiff gui --bench {bench}; labdiff calibrate --bench {bench} measures "
        now += "what it can"
    return f"{now}; the rest needs {listed(lacks)}"
