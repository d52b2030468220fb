"""The safe state of a bench, laser off and SLM flat, and the way there whatever fails."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress

from drivers.errors import DeviceStateError, LaserMayBeOnError
from drivers.protocols import Laser
from labdiff.bench.devices import BenchDevices
from labdiff.bench.guard_laser import UNGUARDED, LaserGuard
from labdiff.bench.lit_note import forget_left_lit
from labdiff.bench.reconnecting_laser import ReconnectingLaser
from labdiff.errors import JobStoppedError

log = logging.getLogger(__name__)

_LIT: weakref.WeakSet[BenchSafety] = weakref.WeakSet()
"""Benches of this process whose laser was switched on and not yet confirmed dark."""
_MAY_BE_ON: dict[str, str] = {}
"""Lasers of this process that could not be confirmed dark: name, and why."""


def send_all_off() -> None:
    """Send OFF to the laser of every bench of this process, at once.

    Waits for no job, lock or answer; may be called from any thread, as by the handler of a signal.
    """
    for safety in list(_LIT):
        with suppress(Exception):  # each is asked, and what failed reported, when its bench is left
            safety.send_off()


def lasers_that_may_be_on() -> list[str]:
    """Return a line for each laser that could not be confirmed dark; nothing if all are."""
    return [f"the laser may be ON: {name}: {why}" for name, why in _MAY_BE_ON.items()]


def opened_dark(where: str, open_laser: Callable[[], Laser]) -> Laser:
    """Open a laser; one that cannot be confirmed dark then is warned of when the command ends.

    Raises LaserMayBeOnError, and what opening raises.

    Args:
        where: name of the laser for the warning.
        open_laser: opens it.
    """
    try:
        laser = open_laser()
    except LaserMayBeOnError as error:
        note_laser_that_may_be_on(where, f"{error}; switch it off by hand")
        raise
    _MAY_BE_ON.pop(where, None)
    forget_left_lit(where)
    return laser


def note_laser_that_may_be_on(name: str, why: str) -> None:
    """Let the command that ends warn of a laser elsewhere that could not be confirmed dark."""
    _MAY_BE_ON[name] = why


class BenchSafety:
    """Switches a bench on and off.

    flatten: displays a flat pattern. guard: what guards the laser.
    left_unsafe: what the last way into the safe state could not do, one line each. switched_off: the laser
    was switched off on purpose since it was last switched on.
    """

    def __init__(
        self,
        devices: BenchDevices,
        flatten: Callable[[], None],
        guard: LaserGuard = UNGUARDED,
    ) -> None:
        self._devices, self._flatten, self._guard = devices, flatten, guard
        self._held_dark = self._closed = False
        self.left_unsafe: list[str] = []
        self.switched_off = False

    def note_lit(self) -> None:
        """Let a signal and the guardian reach the laser, which is about to be switched on."""
        if self._guard.line is not None and not self._guard.line.wait_until_ready():
            log.error("the laser's guardian does not start; if this is killed, the laser stays on")
        if self._guard.note is not None:
            self._guard.note.write()
        _LIT.add(self)

    def note_dark(self) -> None:
        """Let no signal reach the laser any more, which was made safe in another way."""
        _LIT.discard(self)

    def switch_on(self) -> None:
        """Switch the laser on, and wait until its light may be relied on.

        Raises JobStoppedError while the bench is held dark, also if that began in another thread meanwhile.
        """
        laser = self._devices.laser
        self.switch_on_by(self._emit)
        self._devices.clock.sleep_s(laser.timing.total_ms / 1e3)

    def switch_on_by(self, switch: Callable[[], object]) -> None:
        """Switch the laser on in another way, and take it back if the bench was held dark meanwhile.

        switch: switches it on. Raises JobStoppedError as `switch_on`.
        """
        self._check_allowed()
        self.switched_off = False
        self._permit()
        self.note_lit()
        switch()
        if self._held_dark:  # OFF may have gone out before ON
            self.send_off()
        self._check_allowed()

    def _emit(self) -> None:
        self._devices.laser.emission = True

    def hold_dark(self) -> None:
        """Send OFF at once, and let nobody switch the laser on until `release`."""
        self._held_dark = True
        self.send_off()

    def release(self) -> None:
        """Let the laser be switched on again."""
        self._held_dark = False

    def send_off(self) -> None:
        """Send OFF to the laser; nothing is asked, nothing waited for."""
        self.switched_off = True
        self._devices.laser.send_off()

    def make_safe(self) -> None:
        """Switch the laser off and flatten the SLM; a device that fails does not keep the other from it.

        OFF is sent first, before anything is asked; then the laser is asked until it says that it is dark.
        A bench that is closed is left as it is, and so is what could not be done then.
        """
        if self._closed:
            return
        self.left_unsafe.clear()
        with suppress(Exception):
            self.send_off()
        self._do_each(
            [("switch the laser off", self._laser_off), ("flatten the SLM", self._flatten)]
        )
        self._permit()

    def close(self) -> None:
        """Enter the safe state and close every device, whatever fails.

        An interruption meanwhile is raised when everything was tried. Idempotent.
        """
        if self._closed:
            return
        try:
            self.make_safe()
        finally:
            self._closed = True
            try:
                self._do_each([(f"close {device.name}", device.close) for device in self._devices])
            finally:
                if self._guard.line is not None:
                    # One whose laser is not confirmed dark goes on, also when this program has ended.
                    self._guard.line.release(self._devices.laser.name not in _MAY_BE_ON)

    def _permit(self) -> None:
        """Let the laser be switched on after it was switched off past a job."""
        laser = self._devices.laser
        if isinstance(laser, ReconnectingLaser):
            laser.permit()

    def _check_allowed(self) -> None:
        if self._held_dark:
            raise JobStoppedError("the laser was switched off")

    def _laser_off(self) -> None:
        laser = self._devices.laser
        try:
            laser.emission = False
        except DeviceStateError as error:
            if isinstance(laser, ReconnectingLaser) and not laser.closed:
                # Its driver has let go of the line, perhaps before OFF was heard.
                _MAY_BE_ON[laser.name] = f"{error}; switch it off by hand"
                raise LaserMayBeOnError(str(error)) from error
            raise
        except Exception as error:
            _MAY_BE_ON[laser.name] = f"{error}; switch it off by hand"
            raise
        _MAY_BE_ON.pop(laser.name, None)
        _LIT.discard(self)
        if self._guard.note is not None:
            self._guard.note.remove()

    def _do_each(self, steps: Sequence[tuple[str, Callable[[], object]]]) -> None:
        interruption: BaseException | None = None
        for what, act in steps:
            try:
                act()
            except DeviceStateError:
                continue  # closed already: nothing is left to make safe
            except Exception as error:
                log.error("could not %s: %s", what, error)
                self.left_unsafe.append(f"could not {what}: {error}")
            except BaseException as error:
                interruption = error
                act()
        if interruption is not None:
            raise interruption
