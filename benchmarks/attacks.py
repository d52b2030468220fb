"""Strangers get nothing: benchmarks/attacks.py [--json] [--quick] [--smoke] [--part NAME].

Each attempt does what a stranger would do, in a folder of its own, and looks for signs that it worked: tags
that a browser would run, codes that a terminal would obey, code that ran, a library that was taken, a file
elsewhere that was read or written, a device that moved, a client that had to wait. docs/security.md says
what is promised.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.attack_checks import door, libraries, owners, pages, paths, places
from benchmarks.attack_checks.attempt import part
from benchmarks.parts import Part, parser, run_parts

PARTS: dict[str, Part] = {
    "pages": part("pages and terminals", pages.ATTEMPTS),
    "libraries": part("libraries and code", libraries.ATTEMPTS),
    "paths": part("links and paths", paths.ATTEMPTS),
    "owners": part("owners of a served bench", owners.ATTEMPTS),
    "door": part("the door for scripts", door.ATTEMPTS),
    "places": part("other accounts and slow messages", places.ATTEMPTS),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("attacks", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
