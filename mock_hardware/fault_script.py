"""The names of faults, and the script of faults in a bench file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Fault = Literal[
    "dropped",
    "duplicated",
    "torn",
    "late",
    "timeout",
    "unplugged",
    "slm_frozen",
    "laser_shut",
    "beam_blocked",
    "saturated",
    "mirror_knocked",
    "slm_unplugged",
    "slm_timeout",
    "dmd_unplugged",
    "dmd_timeout",
    "laser_unplugged",
    "laser_timeout",
]
"""dropped: the frame never comes. duplicated: the driver hands out the frame before once more.
torn: the lower half is of the frame before. late: it comes after the driver's time-out and is found in
the queue by the next caller. timeout: the camera does not answer. unplugged: the camera is gone.
slm_frozen: the panel keeps its pattern. laser_shut: the interlock shuts the laser. beam_blocked: light
leaves the laser and does not arrive. saturated: a thousand times too much light.
mirror_knocked: the mirror turns by the setting knock_mrad; "mirror_knocked@120-" for good.

The others meet calls and not frames: the device has no power until it is opened again, or it does not
answer. FIRST is the frame before which they begin; LAST - FIRST + 1 calls meet them, opening included."""

CHANGES: tuple[Fault, ...] = ("mirror_knocked",)
"""Changes of the bench, not faults of a device: the frames are right."""
FOR_EVER = 2**62
"""Last frame of a fault without an end."""
_LINE = re.compile(r"(?P<fault>\w+)@(?P<first>\d+)(?P<to>-(?P<last>\d*))?")


@dataclass(frozen=True, slots=True)
class Scripted:
    """One fault from a first to a last frame (counted from 1, both included)."""

    fault: Fault
    first: int
    last: int


def parse(line: str) -> Scripted:
    """Parse "unplugged@120" or "slm_frozen@40-60". Raises ValueError that says what is allowed."""
    match = _LINE.fullmatch(line)
    known: tuple[Fault, ...] = get_args(Fault)
    faults = [fault for fault in known if match is not None and fault == match["fault"]]
    if match is None or not faults:
        raise ValueError(
            f'"{line}" is no fault; write NAME@FRAME, NAME@FIRST-LAST or NAME@FIRST- with NAME '
            f"one of {', '.join(known)}"
        )
    first = int(match["first"])
    last = int(match["last"] or FOR_EVER) if match["to"] else first
    return Scripted(faults[0], first, last)
