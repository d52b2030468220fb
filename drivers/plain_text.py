"""Text of strangers - names, answers, messages - made fit to be shown in a terminal, a log or a window."""

from __future__ import annotations

LONGEST = 200
"""Number of characters of a name or a message that are shown."""


def plain_line(text: object, longest: int = LONGEST) -> str:
    r"""Return a text as one line without control codes, which a terminal would obey; cut where it is long.

    Escape sequences lose their first character and stay as harmless letters; so do the codes that turn the
    direction of writing.

    Example:
        >>> plain_line("Ann\x1b[2J\nroot: all is well")
        'Ann?[2J root: all is well'
    """
    shown = str(text)[: 4 * longest]
    line = "".join(c if c.isprintable() else "?" for c in " ".join(shown.split()))
    return line if len(line) <= longest else line[: longest - 3] + "..."


def plain_lines(text: object, longest: int = 8_000) -> str:
    """Return a text of several lines in the same way; its last part, where it is long."""
    lines = str(text)[-longest:].splitlines()
    return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)
