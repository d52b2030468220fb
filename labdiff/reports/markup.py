"""HTML in pieces: text that comes from elsewhere is escaped here, whatever a caller forgets.

A `Markup` is made by the functions of this module alone. They escape every other string that they are
given, so a run file, a bench file or a device cannot put a tag into a page: what is not `Markup` is text.
Formatting and joining a `Markup` gives a plain string, which is text again.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

EMPTY_ELEMENTS = ("img", "br")
"""Elements without an end."""


class Markup(str):
    """A piece of HTML that may stand in a page as it is."""

    __slots__ = ()


class Cell(Markup):
    """A cell of a table."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """Return text as it is shown; a piece of HTML stays as it is."""
    return text if isinstance(text, Markup) else Markup(html.escape(text))


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """Return pieces one after the other.

    Example:
        >>> joined(["1 < 2", element("b", "so")], ", ")
        '1 &lt; 2, <b>so</b>'
    """
    return Markup(escaped(between).join(escaped(part) for part in parts))


def element(name: str, *content: str, **attributes: str) -> Markup:
    """Return an element.

    Args:
        name: its name, such as "p".
        *content: text and pieces of HTML.
        **attributes: its attributes; `css` is its class. Those that are "" are left out.

    Example:
        >>> element("p", "a < b", css="quiet")
        '<p class="quiet">a &lt; b</p>'
    """
    written = "".join(
        f' {"class" if key == "css" else key}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value
    )
    if name in EMPTY_ELEMENTS:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(content)}</{name}>")


def cell(*content: str, css: str = "") -> Cell:
    """Return a cell of a table with a class."""
    return Cell(element("td", *content, css=css))


def table(rows: Iterable[Sequence[str]], **attributes: str) -> Markup:
    """Return a table of text, pieces of HTML and cells; its attributes as those of `element`."""
    lines = [
        element("tr", *(part if isinstance(part, Cell) else cell(part) for part in row))
        for row in rows
    ]
    return element("table", *lines, **attributes)


def details(summary: str, *content: str) -> Markup:
    """Return what is folded away until its summary is clicked."""
    return element("details", element("summary", summary), *content)


def tag(state: str) -> Markup:
    """Return an outcome or a verdict on its coloured ground."""
    return element("span", state, css=f"tag {state}")


def simulated_part(simulated: str) -> list[Markup]:
    """Return the paragraph that states what of a bench was simulated; none if nothing was.

    simulated: the sentence.
    """
    return [element("p", element("b", simulated))] if simulated else []
