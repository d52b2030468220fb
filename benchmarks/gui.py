"""How fast and how steady the window is: python benchmarks/gui.py [--json] [--quick] [--part NAME].

--frames N: of the live view's soak; 100,000 take twenty minutes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.claims import Claim, finish, parser
from benchmarks.gui_checks import curves, failures, live, session, slm_window, streamed

PARTS = ("curves", "live", "slm", "session", "failures", "stream")
SOAK_FRAMES, QUICK_SOAK_FRAMES = 20_000, 900


def main() -> None:
    """Measure, then print one JSON line."""
    options = parser(__doc__)
    options.add_argument("--part", choices=PARTS, action="append", help="only this; all if none")
    options.add_argument(
        "--archive",
        type=Path,
        default=None,
        help="calibrations of 'mock' with which the session begins",
    )
    options.add_argument("--frames", type=int, default=None, help="of the live view's soak")
    arguments = options.parse_args()
    # For what is measured in this process; windows on a screen have processes of their own.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    frames = arguments.frames or (QUICK_SOAK_FRAMES if arguments.quick else SOAK_FRAMES)
    claims: list[Claim] = []
    figures: dict[str, Any] = {}
    for part in arguments.part or PARTS:
        console.print(f"{part} ...")
        match part:
            case "curves":
                found, figures[part] = curves.measure(arguments.quick)
            case "live":
                found, figures[part] = live.measure(arguments.quick, frames, console.print)
            case "slm":
                found, figures[part] = slm_window.measure(arguments.quick)
            case "session":
                found, figures[part] = session.measure(console.print, arguments.archive)
            case "failures":
                found, figures[part] = failures.measure(console.print, arguments.archive)
            case "stream":
                found, figures[part] = streamed.measure(arguments.quick, console.print)
        claims += found
    finish("gui", claims, arguments.json, quick=arguments.quick, figures=figures)


if __name__ == "__main__":
    main()
