"""Claims: a measured value, its bound, and whether it holds."""

from __future__ import annotations

import argparse
import json
import os
import platform
from typing import Any, TypedDict


class Claim(TypedDict):
    """One claim. bound: "<= 0.2" or ">= 3". value: always the measured one."""

    claim: str
    value: float
    bound: str
    holds: bool


def claim(title: str, value: float, bound: str) -> Claim:
    """Return the claim that a measured value keeps its bound.

    Args:
        title: What was measured, with its unit.
        value: The measured value.
        bound: "<= 0.2" or ">= 3".

    Raises:
        ValueError: The bound has another sign.
    """
    sign, limit = bound.split()
    if sign not in ("<=", ">="):
        raise ValueError(f"{bound}: a bound starts with <= or >=")
    holds = value <= float(limit) if sign == "<=" else value >= float(limit)
    return {"claim": title, "value": float(value), "bound": bound, "holds": bool(holds)}


def print_claims(claims: list[Claim]) -> None:
    """Print a line for each claim."""
    for entry in claims:
        verdict = "holds" if entry["holds"] else "DOES NOT HOLD"
        print(f"{entry['claim']}: {entry['value']:.4g} ({entry['bound']}) {verdict}")


def print_json(benchmark: str, claims: list[Claim], **more: object) -> None:
    """Print the JSON line that ends a benchmark's output."""
    machine = {"cores": os.cpu_count(), "platform": platform.platform()}
    print(json.dumps({"benchmark": benchmark, "claims": claims, "machine": machine, **more}))


def parser(description: str | None, *, seeds: int | None = None) -> argparse.ArgumentParser:
    """Return the options of a benchmark that has no parts yet."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--json", action="store_true", help="only the JSON line")
    result.add_argument("--quick", action="store_true", help="a faithful subset in under a minute")
    if seeds is not None:
        result.add_argument("--seeds", type=int, default=seeds, help="how many random benches")
    return result


def options(description: str | None, *, seeds: int | None = None) -> argparse.Namespace:
    """Parse the options of a benchmark that has no parts yet."""
    return parser(description, seeds=seeds).parse_args()


def finish(name: str, claims: list[Claim], quiet: bool, **more: Any) -> None:
    """Print what was found, as text unless quiet, and as one JSON line last."""
    if not quiet:
        print_claims(claims)
    print_json(name, claims, **more)
