"""Random sessions with lasers of every dialect, ended in every way: dark in time, and no false "safe"."""

from __future__ import annotations

import random
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.claims import claim
from benchmarks.fault_checks.dialect_laser import dialect_bench
from benchmarks.fault_checks.dialect_session import COMMAND, ENDS, WINDOW, Session, run_session
from benchmarks.fault_checks.programs import unignored
from benchmarks.parts import NotPossibleError, Outcome, Setting
from tests.contracts.line_dialects import DIALECTS

SESSIONS = 200
WITHIN_S = 2.0
WINDOW_EVERY = 4
"""One session in so many is the window's, whose process with the engine takes seconds to start."""
AT_ONCE = 4
"""Number of sessions at the same time: most of it is waiting for programs to start."""
LEAST_DIALECTS = 12


def measure(setting: Setting) -> Outcome:
    """Run random sessions with fixed seeds."""
    if not Path("/proc").is_dir() or sys.platform == "win32":
        raise NotPossibleError("signals and their receivers are measured on Linux")
    count = setting.amount("sessions", smoke=2, quick=14, full=SESSIONS)
    with unignored(), ThreadPoolExecutor(AT_ONCE) as pool:
        sessions = list(pool.map(lambda number: _session(number, setting), range(count)))
    return outcome(sessions)


def _session(number: int, setting: Setting) -> Session:
    dialect = list(DIALECTS)[number % len(DIALECTS)]
    turn = number // WINDOW_EVERY
    kind = WINDOW if number % WINDOW_EVERY == WINDOW_EVERY - 1 else COMMAND
    ends = ENDS[kind]
    end = ends[(turn if kind == WINDOW else number - turn) % len(ends)]
    with (
        tempfile.TemporaryDirectory(prefix="ld") as folder,
        dialect_bench(dialect, Path(folder)) as bench,
    ):
        found = run_session(kind, end, bench, random.Random(number))
    found.what = f"{number}: {dialect}: {found.what}"
    setting.say(
        f"  {found.what}: lit {found.lit}, dark {found.dark_s} s, said first {found.first}, "
        f"false {found.false_safes}"
    )
    return found


def outcome(sessions: list[Session]) -> Outcome:
    """Return the claims of sessions."""
    guarded = [each for each in sessions if each.left]
    dark = [each.dark_s for each in guarded if each.dark_s is not None]
    in_time = sum(each <= WITHIN_S for each in dark)
    asked = [each for each in sessions if each.first is not None]
    spoken = {each.what.split(": ")[1] for each in sessions}
    claims = [
        claim("random sessions with lasers of every dialect", len(sessions), f">= {len(sessions)}"),
        claim("dialects", len(spoken), f">= {min(LEAST_DIALECTS, len(sessions))}"),
        claim(
            "sessions that ended with light",
            sum(s.lit for s in sessions),
            f">= {len(sessions) // 3}",
        ),
        claim(
            f"sessions with a process left in which the laser was dark within {WITHIN_S:g} s",
            in_time,
            f">= {len(guarded)}",
        ),
        claim("longest time until it was dark, s", max(dark, default=0.0), f"<= {WITHIN_S}"),
        claim(
            'reports of "safe" while the laser\'s log says on',
            sum(len(each.false_safes) for each in sessions),
            "<= 0",
        ),
        claim(
            "sessions with nobody left to switch it off in which the next command said so first",
            sum(bool(each.first) for each in asked),
            f">= {len(asked)}",
        ),
    ]
    late = [each.what for each in guarded if each.dark_s is None or each.dark_s > WITHIN_S]
    figures = {
        "sessions with a process left": len(guarded),
        "sessions with nobody left, or a laser that does not obey, and light": len(asked),
        "too_late": late,
        "false_safes": {each.what: each.false_safes for each in sessions if each.false_safes},
        "not_said": [each.what for each in asked if not each.first],
    }
    return Outcome(claims, figures)
