"""Real devices, proven without a laboratory: benchmarks/drivers.py [--json] [--quick] [--part NAME]."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks.claims import Claim, finish, parser

FOLDER = Path(__file__).parent / "driver_checks"
PARTS = tuple(sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("_")))
"""Modules of driver_checks; each has check(quick) -> list[Claim]."""


def main() -> None:
    """Run every part, or one, then print one JSON line."""
    options = parser(__doc__)
    options.add_argument("--part", choices=PARTS, help="only this part")
    arguments = options.parse_args()
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    claims: list[Claim] = []
    seconds: dict[str, float] = {}
    for name in (arguments.part,) if arguments.part else PARTS:
        console.print(f"{name} ...")
        started_s = time.perf_counter()
        claims += import_module(f"benchmarks.driver_checks.{name}").check(arguments.quick)
        seconds[name] = round(time.perf_counter() - started_s, 1)
        console.print(f"  {seconds[name]} s")
    finish("drivers", claims, arguments.json, quick=arguments.quick, seconds=seconds)


if __name__ == "__main__":
    main()
