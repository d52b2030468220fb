"""The mock bench against physics: python benchmarks/mock_physics.py [--json] [--quick]."""

from __future__ import annotations

import time
from importlib import import_module

from rich.console import Console

from benchmarks.claims import Claim, finish, options

CHECKS = (
    "closed_forms",
    "photon_transfer",
    "dynamics",
    "drift",
    "effects",
    "independence",
    "faults",
)
"""Modules of mock_checks; each has check(quick) -> list[Claim]."""


def main() -> None:
    """Run every check, then print one JSON line."""
    arguments = options(__doc__)
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    claims: list[Claim] = []
    seconds: dict[str, float] = {}
    for name in CHECKS:
        console.print(f"{name} ...")
        started_s = time.perf_counter()
        claims += import_module(f"benchmarks.mock_checks.{name}").check(arguments.quick)
        seconds[name] = round(time.perf_counter() - started_s, 1)
        console.print(f"  {seconds[name]} s")
    finish("mock_physics", claims, arguments.json, quick=arguments.quick, seconds=seconds)


if __name__ == "__main__":
    main()
