"""Show what a bench is made of as a table, in a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping


def description_html(description: Mapping[str, str]) -> str:
    """Return a description by part as an HTML table."""
    cell = "<td style='text-align: left'>"
    lines = (
        f"<tr>{cell}{html.escape(part)}</td>{cell}{html.escape(text)}</td></tr>"
        for part, text in description.items()
    )
    return "<table>" + "".join(lines) + "</table>"
