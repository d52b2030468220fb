"""What `labdiff init` asks in a terminal: Enter takes the default in brackets."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.discovery.found import Attached
from drivers.plain_text import plain_line
from labdiff.config.bench_draft import DraftDevice
from labdiff.errors import UserError

SIMULATED, NONE, BY_HAND = "mock", "none", "manual"
EXTRA: dict[str, tuple[tuple[str, str], ...]] = {
    "slm": ((SIMULATED, "simulated"), (NONE, "none yet")),
    "camera": ((SIMULATED, "simulated"), (NONE, "none yet")),
    "laser": (
        (BY_HAND, "switched by hand: you are asked"),
        (SIMULATED, "simulated"),
        (NONE, "none yet"),
    ),
    "input": ((NONE, "none: the first patch of the SLM writes the image"),),
}
"""What a bench may have beside what is attached: driver, and what it is called."""
WITHOUT_PLACE = (SIMULATED, NONE, BY_HAND)


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """One line of a question. driver, settings: as in a bench file."""

    driver: str
    title: str
    settings: Mapping[str, str]
    attached: Attached | None = None


def answer(question: str, default: str) -> str:
    """Ask one line of a person; an empty one is the default. Raises UserError where the input ends."""
    print(f"{question} [{default}]: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise UserError(
            "init: the input ended before all questions were answered; nothing was written"
        )
    return line.strip() or default


def number(question: str, default: float, low: float, high: float) -> float:
    """Ask for a number until one is given that is allowed.

    Args:
        question: With the unit.
        default: What Enter takes.
        low: Least that is allowed.
        high: Most that is allowed.
    """
    while True:
        given = answer(f"{question} ({low:g} ... {high:g})", f"{default:g}")
        try:
            value = float(given.replace(",", "."))
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        print(
            f"  {plain_line(given)}: a number between {low:g} and {high:g} is needed",
            file=sys.stderr,
        )


def which(title: str, devices: Sequence[Attached]) -> Attached | None:
    """Ask which one of several attached devices is meant; None for none of them."""
    choices = [_attached(each) for each in devices] + [DeviceChoice(NONE, "none of them", {})]
    return _chosen(title, choices, 0, ()).attached


def device(
    kind: str, title: str, attached: Sequence[Attached], default: str, drivers: Sequence[str]
) -> DeviceChoice:
    """Ask for a device of a kind: an attached one, a simulated one, none, or a driver by its name.

    Args:
        kind: Section of the bench file.
        title: What people call it.
        attached: Candidates, the first one is the default.
        default: Driver of the default where nothing is attached.
        drivers: Names of drivers that may be given; for these the address is asked too.
    """
    choices = [_attached(each) for each in attached]
    choices += [DeviceChoice(driver, name, {}) for driver, name in EXTRA[kind]]
    sure = [n for n, each in enumerate(choices) if each.attached is not None and each.attached.seen]
    preset = sure[0] if sure else next(n for n, c in enumerate(choices) if c.driver == default)
    return _chosen(title, choices, preset, drivers)


def draft_device(choice: DeviceChoice) -> DraftDevice:
    """Return a choice as a device of the file."""
    title = choice.title if choice.attached is not None else ""
    return DraftDevice(choice.driver, title, choice.settings)


def _attached(one: Attached) -> DeviceChoice:
    sure = "" if one.seen else " (attached or not)"
    return DeviceChoice(one.driver, f"{plain_line(one.title)}{sure}", one.settings, one)


def _chosen(
    title: str, choices: Sequence[DeviceChoice], preset: int, drivers: Sequence[str]
) -> DeviceChoice:
    print(f"{title}:", file=sys.stderr)
    for place, choice in enumerate(choices, 1):
        print(f"  {place}  {choice.title}", file=sys.stderr)
    named = [name for name in drivers if name not in WITHOUT_PLACE]
    if named:
        print(f"  or a driver: {', '.join(named)}", file=sys.stderr)
    while True:
        given = answer(f"{title}: number", str(preset + 1))
        if given.isdecimal() and 1 <= int(given) <= len(choices):
            return choices[int(given) - 1]
        simple = [
            choice for choice in choices if choice.attached is None and choice.driver == given
        ]
        if simple:
            return simple[0]
        if given in named:
            return DeviceChoice(given, given, _place(title, given))
        print(f"  {plain_line(given)}: none of these; give 1 ... {len(choices)}", file=sys.stderr)


def _place(title: str, driver: str) -> dict[str, str]:
    """Ask where the device of a driver is."""
    key = "serial" if title == "camera" else "address"
    given = answer(f"{title}: {key} for {driver}, - for none", "-")
    return {} if given == "-" else {key: given}
