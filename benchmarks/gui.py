"""How fast and how steady the window is: python benchmarks/gui.py [--json] [--quick] [--part NAME].

    curves      training curves of many points
    live        frames of 1920 x 1200 from another process to the screen
    slm         the SLM's window on a second monitor
    session     a first session by mouse and keys
    failures    what the window says when something fails
    stream      the whole window beside a training
    sizes       a small, a usual and a magnified screen: nothing is cut, nothing moves by itself
    newcomer    the first start: digits by the tour alone
    panels      what panels show after a change of the bench, its death, the end of a job
    typed       numbers typed into fields: what was meant is sent, or nothing
    emergency   F12 and the red button: how soon the laser is dark, whatever is open

--frames N: of the live view's soak; 100,000 take twenty minutes. --tries N: of the emergency
control.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.gui_checks import (
    curves,
    emergency,
    failures,
    live,
    newcomer,
    panels,
    session,
    sizes,
    slm_window,
    streamed,
    typed,
)
from benchmarks.parts import Part, parser, run_parts

NOT_QUICK = (
    "live",
    "session",
    "failures",
    "stream",
    "panels",
    "sizes",
    "newcomer",
    "typed",
    "emergency",
)


def parts(
    frames: int | None = None, archive: Path | None = None, tries: int | None = None
) -> dict[str, Part]:
    """Return the parts, for so many frames of the soak, tries, and calibrations to begin with."""
    return {
        "curves": curves.measure,
        "live": partial(live.measure, frames),
        "slm": slm_window.measure,
        "session": partial(session.measure, archive),
        "failures": partial(failures.measure, archive),
        "stream": streamed.measure,
        "panels": panels.measure,
        "sizes": sizes.measure,
        "newcomer": newcomer.measure,
        "typed": typed.measure,
        "emergency": partial(emergency.measure, tries),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    options = parser(__doc__, parts())
    options.add_argument(
        "--archive", type=Path, help="calibrations of 'mock' with which the session begins"
    )
    options.add_argument("--frames", type=int, help="of the live view's soak")
    options.add_argument("--tries", type=int, help="of the emergency control")
    given = options.parse_args(arguments)
    # For what is measured in this process; windows on a screen have processes of their own.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    run_parts("gui", parts(given.frames, given.archive, given.tries), given, not_quick=NOT_QUICK)


if __name__ == "__main__":
    main()
