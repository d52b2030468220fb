"""Whatever signal ends or suspends a program that holds a laser: the laser's own log says that it is dark.

All signals to all programs: `python benchmarks/faults.py --part signals`, which also measures how fast.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32" or not Path("/proc").is_dir(), reason="Linux alone"),
]


@pytest.mark.parametrize("name", ["SIGQUIT", "SIGTSTP", "SIGKILL"])
def test_a_command_leaves_a_dark_laser(name: str) -> None:
    from benchmarks.fault_checks.signals import COMMANDS, send

    trial = send(COMMANDS[0], name, to_group=True)
    assert trial.dark_s is not None, trial
    assert trial.left == 0, "its guardian ends too"


def test_a_window_that_is_killed_leaves_a_dark_laser() -> None:
    from benchmarks.fault_checks.signals import WINDOWS, send

    trial = send(WINDOWS[0], "SIGKILL", to_group=False)
    assert trial.dark_s is not None, trial
    assert trial.left == 0
