"""Plans of the transforms on this computer: measured at first use, stored in the user's folder."""

from __future__ import annotations

import json
import logging
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch

from labdiff.atomic_write import write_atomically
from labdiff.config.user_folder import user_folder
from twin.cavity import PaddedGrid
from twin.transform_plan import (
    PLANS,
    TOGETHER,
    GridSize,
    PlanKind,
    TransformPlan,
    candidates,
    chosen_plan,
    computing_clock,
    timed_plans,
)

log = logging.getLogger(__name__)

VARIABLE = "LABDIFF_PLANS"
"""Environment variable; "off" leaves the standard plans in use, and measures nothing."""
FILE = "plans.json"
BUDGET_S = 0.4
"""Time after which no further plan of a size is tried."""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan of a size, and the milliseconds a sample and plane of all that were tried, by their names."""

    size: str
    plan: TransformPlan
    ms: dict[str, float]


def machine_name() -> str:
    """Return what plans depend on: the computer, its processor and torch's version."""
    processor = platform.processor() or platform.machine()
    return f"{platform.node()}, {processor}, {os.cpu_count()} cores, torch {torch.__version__}"


def use_plan(field: tuple[int, int], padded: tuple[int, int]) -> None:
    """Use the plan of a size that is stored for this computer; one that is not there is measured first.

    Measuring takes less than half a second. Whoever stored a plan first, of processes that measure at the
    same time, has chosen it for all: results stay the same to the bit.

    Args:
        field: (height, width) of the fields.
        padded: of their grid.
    """
    if os.environ.get(VARIABLE) == "off":
        return
    size = GridSize(field, padded, torch.get_num_threads())
    stored = {plan.size: plan for plan in stored_plans()}
    if size.name not in stored:
        found = measured_plan(size)
        stored = {plan.size: plan for plan in _store(found)}
    if size.name in stored:
        PLANS.put(size, stored[size.name].plan)


def measured_plan(size: GridSize, budget_s: float = BUDGET_S) -> StoredPlan:
    """Measure the plans of a size on random fields, there and back; return the one to use."""
    clock = computing_clock(size.threads)
    fields = torch.ones(max(TOGETHER), *size.field, dtype=torch.complex64)
    reached, transfer = torch.empty_like(fields), torch.ones(size.padded, dtype=torch.complex64)
    grids = {}
    for plan in candidates(size):
        with PLANS.forced(plan):
            grids[plan] = [PaddedGrid(fields, transfer, back=back) for back in (False, True)]

    def time_s(plan: TransformPlan) -> float:
        some, out = fields[: plan.together], reached[: plan.together]
        laid_out = grids[plan][0].laid_out(transfer)
        began_s = clock()
        for grid in grids[plan]:
            grid.propagate(some, some[0], laid_out, out)
        return (clock() - began_s) / plan.together

    times_s = timed_plans(size, time_s, budget_s)
    plan = chosen_plan(times_s)
    ms = {each.name: round(1e3 * found_s, 4) for each, found_s in times_s.items()}
    log.info("transforms of %s: %s of %s ms a sample", size.name, plan.name, ms)
    return StoredPlan(size.name, plan, ms)


def stored_plans() -> list[StoredPlan]:
    """Return the plans that are stored for this computer; none where the file cannot be read."""
    found = []
    for size, entry in _all_machines().get(machine_name(), {}).items():
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            kind, together = entry["kind"], int(entry["together"])
            if kind not in get_args(PlanKind) or together < 1:
                raise ValueError(kind)
            ms = {str(name): float(value) for name, value in entry["ms"].items()}
            found.append(StoredPlan(str(size), TransformPlan(kind, together), ms))
    return found


def _all_machines() -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {str(name): plans for name, plans in content.items() if isinstance(plans, dict)}


def _store(found: StoredPlan) -> list[StoredPlan]:
    """Store a plan unless another process has stored one meanwhile; return those in use."""
    machines = _all_machines()
    plans = machines.setdefault(machine_name(), {})
    entry = {"kind": found.plan.kind, "together": found.plan.together, "ms": found.ms}
    if found.size not in {plan.size for plan in stored_plans()}:
        plans[found.size] = entry
    text = json.dumps(machines, indent=2, sort_keys=True) + "\n"
    try:
        _path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(_path(), text.encode())
    except OSError as error:
        # Measured again next time; a folder that cannot be written to is no reason to stop.
        log.info("%s: plans are not stored: %s", _path(), error)
        return [found]
    return stored_plans()


def _path() -> Path:
    return user_folder() / FILE


def plan_lines() -> list[str]:
    """Return the plans of this computer in lines, for a person."""
    plans = stored_plans()
    if not plans:
        return [f"no plan is stored in {_path()}; a training measures them at first use"]
    lines = [
        f"plans of {machine_name()}, ms a sample, there and back;",
        f"they stand in {_path()}, and are measured again where it is removed:",
    ]
    for stored in sorted(plans, key=lambda each: each.size):
        ms = sorted(stored.ms.items(), key=lambda pair: pair[1])
        times = ", ".join(f"{name} {value:.3g}" for name, value in ms)
        lines.append(f"  {stored.size}: {stored.plan.name} ({times})")
    return lines
