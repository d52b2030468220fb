"""Which of the attached cameras a bench file means: by serial number, name, port or place in the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.errors import DeviceNotFoundError, DeviceValueError

NAME, PORT, NUMBER = "name=", "port=", "#"
"""Beginnings of camera.serial that are no serial number."""
FORMS = (
    'set camera.serial = "name=..." (the name that the maker\'s viewer wrote into it), "port=..." or "#1", '
    '"#2" ... (place in this list)'
)


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """What a library tells of an attached camera. name: user-defined. port: where it is plugged in."""

    serial: str
    name: str = ""
    port: str = ""

    def title(self, number: int) -> str:
        """Return it with its place in the list, from 1 on."""
        parts = [self.serial or "without serial number"]
        parts += [f"name {self.name!r}"] if self.name else []
        parts += [f"port {self.port!r}"] if self.port else []
        return f"{NUMBER}{number} {', '.join(parts)}"


def choose_camera(kind: str, given: str, there: Sequence[CameraIdentity]) -> int:
    """Return the index of the camera that camera.serial means; "": of the first one.

    Args:
        kind: of camera, for messages.
        given: camera.serial: a serial number, "name=...", "port=..." or "#2".
        there: the cameras, in the library's order.

    Raises:
        DeviceNotFoundError: if there is none such.
        DeviceValueError: if there are several, or several without a serial number and none is named.
    """
    fitting = [index for index, one in enumerate(there) if _means(given, one, index)]
    titles = "; ".join(one.title(index + 1) for index, one in enumerate(there)) or "none"
    if not fitting:
        raise DeviceNotFoundError(
            f"{kind} camera {given or '(any)'}: not found; cameras there are: {titles}"
        )
    # Without a number one of several would be another one after the next start.
    twins = [index for index in fitting if not there[index].serial]
    if len(fitting) > 1 and (given or len(twins) > 1):
        what = (
            f"camera.serial = {given!r}: {len(fitting)} cameras are"
            if given
            else "several cameras are"
        )
        raise DeviceValueError(f"{kind}: {what} meant: {titles}; {FORMS}")
    return fitting[0]


def _means(given: str, one: CameraIdentity, index: int) -> bool:
    if given.startswith(NAME):
        return one.name == given.removeprefix(NAME)
    if given.startswith(PORT):
        return one.port == given.removeprefix(PORT)
    if given.startswith(NUMBER):
        return given == f"{NUMBER}{index + 1}"
    return given in ("", one.serial)
