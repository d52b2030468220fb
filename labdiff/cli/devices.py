"""The command `labdiff devices`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drivers.discovery.found import Answer, Attached

KINDS = ("slm", "input", "camera", "laser", "meter", "instrument")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("devices")(_devices)


def _devices(
    timeout: Annotated[
        float, typer.Option(help="Longest search of each back end, s.", min=0.1, max=60.0)
    ] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one JSON line.")] = False,
) -> None:
    """List the devices attached to this computer, and what to write of them in a bench file."""
    from drivers.discovery.search import all_back_ends, search

    back_ends = all_back_ends()
    answers = search(timeout, back_ends)
    if as_json:
        print(json.dumps([_as_dict(answer) for answer in answers]))
        return
    for answer in answers:
        print(back_ends[answer.back_end].title)
        for one in answer.found:
            print(f"  {one.title}{f'; cannot be used: {one.why_not}' if one.why_not else ''}")
        if answer.problem:
            print(f"  {answer.problem}")
        elif not answer.found:
            print("  none")
    late = [back_ends[answer.back_end].title for answer in answers if answer.late]
    print(f"\n{bench_snippet([one for answer in answers for one in answer.found], late)}")


def bench_snippet(found: list[Attached], late: Sequence[str] = ()) -> str:
    """Return sections for a bench file: the first device of each kind that was seen, others behind a #.

    late: back ends that have not answered, whose devices may be there all the same.
    """
    parts = [f"# not searched to the end: {title}" for title in late]
    for kind in KINDS:
        usable = [one for one in found if one.kind == kind and not one.why_not]
        for number, one in enumerate(sorted(usable, key=lambda one: not one.seen)):
            text = one.section().replace("[instrument]", "[laser]")
            # No bench needs a meter, a second one of a kind would be a mistake, and what a maker's software
            # offers, such as a demo camera, need not be attached.
            if number > 0 or not one.seen or kind in ("meter", "instrument"):
                text = "\n".join(f"# {line}" for line in text.splitlines())
            parts.append(f"# {one.title}\n{text}")
    head = "# For a bench file ('labdiff init' writes one); what is behind a # is another choice.\n"
    if len(parts) == len(late):
        return "\n".join([*parts, "Nothing was found that a bench could use."])
    return head + "\n\n".join(parts)


def _as_dict(answer: Answer) -> dict[str, object]:
    return {
        "back_end": answer.back_end,
        "found": [one.as_dict() for one in answer.found],
        "problem": answer.problem,
        "seconds": round(answer.seconds, 3),
    }
