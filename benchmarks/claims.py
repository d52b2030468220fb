"""What every benchmark prints: claims with the measured value, the bound, and whether it holds."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, and calibration.py in it would hide the package.
HERE = str(Path(__file__).parent)
if sys.path[0] == HERE:
    sys.path.append(sys.path.pop(0))

Claim = dict[str, Any]


def claim(words: str, value: float, bound: str) -> Claim:
    """One claim. bound: "<= 0.2" or ">= 3"."""
    sign, limit = bound.split()
    if sign not in ("<=", ">="):
        raise ValueError(f"{bound}: a bound starts with <= or >=")
    holds = value <= float(limit) if sign == "<=" else value >= float(limit)
    return {"claim": words, "value": float(value), "bound": bound, "holds": bool(holds)}


def options(
    description: str | None,
    *,
    seeds: int | None = None,
    more: argparse.ArgumentParser | None = None,
) -> argparse.Namespace:
    """The options that all benchmarks share, and more of a benchmark's own."""
    parser = argparse.ArgumentParser(description=description, parents=[more] if more else [])
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    parser.add_argument("--quick", action="store_true", help="a faithful subset in under a minute")
    if seeds is not None:
        parser.add_argument("--seeds", type=int, default=seeds, help="how many random benches")
    return parser.parse_args()


def finish(name: str, claims: list[Claim], quiet: bool, **more: Any) -> None:
    """Say what was found, in words unless quiet, and as one JSON line last."""
    if not quiet:
        for entry in claims:
            verdict = "holds" if entry["holds"] else "DOES NOT HOLD"
            print(f"{entry['claim']}: {entry['value']:.4g} ({entry['bound']}) {verdict}")
    machine = {"cores": os.cpu_count(), "platform": platform.platform()}
    print(json.dumps({"benchmark": name, "claims": claims, "machine": machine, **more}))
