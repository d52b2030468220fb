"""Which of the devices that are attached a bench file is written for: one of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from drivers.discovery.found import Attached, Kind
from drivers.plain_text import plain_line
from labdiff.errors import UserError

KINDS: Mapping[Kind, str] = {"slm": "SLM", "camera": "camera", "input": "DMD", "laser": "laser"}
"""Kinds of which a bench has one, and what they are called."""
Decide = Callable[[str, Sequence[Attached]], Attached | None]
"""Asks which one of several devices of a kind is meant; None for none of them."""


def choose_attached(
    found: Sequence[Attached], named: Sequence[str], decide: Decide | None
) -> dict[Kind, Attached]:
    """Return the device of each kind of which one is attached.

    Args:
        found: What a search has found.
        named: Parts of the titles or addresses of devices that are wanted.
        decide: Asks a person where there are several; None if nobody can be asked.

    Raises:
        UserError: If a kind has several, none is named, and nobody can be asked; if a name fits none or
            several.
    """
    wanted = [_named(text, found) for text in named]
    chosen: dict[Kind, Attached] = {}
    for kind, title in KINDS.items():
        of_kind = [each for each in wanted if _kind(each) == kind]
        if len(of_kind) > 1:
            raise UserError(f"--use: names two of the kind {title}: {_titles(of_kind)}; name one")
        there = of_kind or _usable(found, kind)
        one = there[0] if len(there) == 1 else None
        if len(there) > 1:
            if decide is None:
                raise UserError(
                    f"{len(there)} devices could be the {title}: {_titles(there)}. Name one with --use "
                    "and a part of its title or address, or run this in a terminal, which asks"
                )
            one = decide(title, there)
        if one is not None:
            chosen[kind] = one
    return chosen


def other_candidates(found: Sequence[Attached], chosen: Mapping[Kind, Attached]) -> list[Attached]:
    """Return what was found, may belong on the bench, and was not chosen.

    They are devices that a search has not seen for sure, or that cannot be used as they are.
    """
    taken = set(chosen)
    return [each for each in found if each.kind != "meter" and _kind(each) not in taken]


def _usable(found: Sequence[Attached], kind: Kind) -> list[Attached]:
    """Return what a bench could use; a webcam, which many computers have built in, is the last choice."""
    there = [each for each in found if each.kind == kind and each.seen and not each.why_not]
    return [each for each in there if each.driver != "webcam"] or there


def _kind(one: Attached) -> Kind:
    """Return the kind as which a device is used: an instrument that is named is the laser."""
    return "laser" if one.kind == "instrument" else one.kind


def _named(text: str, found: Sequence[Attached]) -> Attached:
    wanted = text.lower()
    fitting = [
        each
        for each in found
        if wanted in each.title.lower()
        or any(wanted in value.lower() for value in each.settings.values())
    ]
    exact = [each for each in fitting if text in each.settings.values()]
    fitting = exact or fitting
    if len(fitting) != 1:
        fits = f"fits {_titles(fitting)}; give more of it" if fitting else "fits no attached device"
        raise UserError(f"--use {text}: {fits}; attached are {_titles(found) or 'none'}")
    if fitting[0].kind == "meter":
        raise UserError(
            f"--use {text}: {_title(fitting[0])}: no measurement needs a power meter; for its readings in "
            "the window add [meter] to the bench file by hand (docs/hardware/pm100.md)"
        )
    return fitting[0]


def _titles(devices: Sequence[Attached]) -> str:
    return "; ".join(_title(each) for each in devices)


def _title(one: Attached) -> str:
    address = one.settings.get("address", "")
    return plain_line(one.title if address in one.title else f"{one.title} at {address}")
