"""What every benchmark prints: claims with the measured value, the bound, and whether it holds."""

from __future__ import annotations

import argparse
import json
import os
import platform
from typing import Any

Claim = dict[str, Any]


def claim(words: str, value: float, bound: str) -> Claim:
    """One claim. bound: "<= 0.2" or ">= 3"."""
    sign, limit = bound.split()
    if sign not in ("<=", ">="):
        raise ValueError(f"{bound}: a bound starts with <= or >=")
    holds = value <= float(limit) if sign == "<=" else value >= float(limit)
    return {"claim": words, "value": float(value), "bound": bound, "holds": bool(holds)}


def parser(description: str | None, *, seeds: int | None = None) -> argparse.ArgumentParser:
    """The options that all benchmarks share, for one that has more."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--json", action="store_true", help="only the JSON line")
    result.add_argument("--quick", action="store_true", help="a faithful subset in under a minute")
    if seeds is not None:
        result.add_argument("--seeds", type=int, default=seeds, help="how many random benches")
    return result


def options(description: str | None, *, seeds: int | None = None) -> argparse.Namespace:
    """The options that all benchmarks share."""
    return parser(description, seeds=seeds).parse_args()


def finish(name: str, claims: list[Claim], quiet: bool, **more: Any) -> None:
    """Say what was found, in words unless quiet, and as one JSON line last."""
    if not quiet:
        for entry in claims:
            verdict = "holds" if entry["holds"] else "DOES NOT HOLD"
            print(f"{entry['claim']}: {entry['value']:.4g} ({entry['bound']}) {verdict}")
    machine = {"cores": os.cpu_count(), "platform": platform.platform()}
    print(json.dumps({"benchmark": name, "claims": claims, "machine": machine, **more}))
