"""Guard the laser of a bench, or say that nothing guards it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import DeviceNotFoundError
from drivers.laser.guarded import GuardedLine
from drivers.laser.line import LaserWithLine
from drivers.protocols import Laser
from labdiff.config.bench import LaserConfig

log = logging.getLogger(__name__)

HARMLESS = ("mock", "none")
"""Drivers of lasers that emit no light: the simulated one and the absent one."""
CONSEQUENCE = "If this program is killed or frozen, the laser stays as it is"


@dataclass(frozen=True, slots=True)
class LaserGuard:
    """What guards a laser. line: None without a guardian. warning: that nothing does; "" if not due."""

    line: GuardedLine | None = None
    warning: str = ""


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
        return LaserGuard()
    line = laser.line if isinstance(laser, LaserWithLine) else None
    if not config.guardian:
        why = "laser.guardian = false in the bench file"
    elif line is None:
        why = "its driver names no line that another process can open"
    else:
        try:
            guarded = GuardedLine(line, laser.name, on_switched_off)
            log.info("the laser has a guardian; it reports in %s", guarded.log_path)
            return LaserGuard(guarded)
        except DeviceNotFoundError as error:
            why = str(error)
    warning = f"{laser.name}: NOT guarded: {why}. {CONSEQUENCE}"
    log.warning("%s", warning)
    return LaserGuard(warning=warning)
