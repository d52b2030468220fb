"""Guard the laser of a bench, or say that nothing guards it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import DeviceNotFoundError
from drivers.laser.guarded import GuardedLine, guardian_log
from drivers.laser.line import LaserWithLine
from drivers.protocols import Laser
from labdiff.bench.lit_note import LitNote, laser_place
from labdiff.config.bench import LaserConfig

log = logging.getLogger(__name__)

HARMLESS = ("mock", "none")
"""Drivers of lasers that emit no light: the simulated one and the absent one."""
CONSEQUENCE = "If this program is killed or frozen, the laser stays as it is"


@dataclass(frozen=True, slots=True)
class LaserGuard:
    """What guards a laser.

    line: None without a guardian. warning: that nothing guards it; "" if not due. note: on the disk, while
    it is lit; None for a laser that emits no light.
    """

    line: GuardedLine | None = None
    warning: str = ""
    note: LitNote | None = None


UNGUARDED = LaserGuard()
"""Of a laser that emits no light, or is guarded elsewhere."""


def guard_laser(
    config: LaserConfig, laser: Laser, on_switched_off: Callable[[str], None]
) -> LaserGuard:
    """Start the guardian of a laser, and log what guards it or why nothing does.

    Args:
        config: the laser in the bench file.
        laser: the open laser.
        on_switched_off: called with the reason when the guardian has switched it off.
    """
    if config.driver in HARMLESS:
        return UNGUARDED
    place = laser_place(config)
    line = laser.line if isinstance(laser, LaserWithLine) else None
    if not config.guardian:
        why = "laser.guardian = false in the bench file"
    elif line is None:
        why = "its driver names no line that another process can open"
    else:
        try:
            note = LitNote(place, laser.name, str(guardian_log()))
            guarded = GuardedLine(line, laser.name, on_switched_off, note.path)
            log.info("the laser has a guardian; it reports in %s", guarded.log_path)
            return LaserGuard(guarded, note=note)
        except DeviceNotFoundError as error:
            why = str(error)
    warning = f"{laser.name}: NOT guarded: {why}. {CONSEQUENCE}"
    log.warning("%s", warning)
    return LaserGuard(warning=warning, note=LitNote(place, laser.name, ""))
