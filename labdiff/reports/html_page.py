"""Write self-contained HTML, pages and parts of a notebook: style and pictures are inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.reports.markup import Markup, element, escaped, joined

_PAGE_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2330 }
h1 { font-size: 1.7rem; margin-bottom: .2rem }
"""
"""Style of a page as a whole."""

_PARTS_STYLE = """
.labdiff h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #d6dbe4 }
.labdiff table { border-collapse: collapse; margin: 1rem 0 }
.labdiff td { padding: .3rem .9rem; border-bottom: 1px solid #e4e8ef; text-align: left }
.labdiff td.time { white-space: nowrap }
.labdiff td.number { text-align: right; font-variant-numeric: tabular-nums }
.labdiff img { max-width: 100% }
.labdiff .quiet { opacity: .75 }
.labdiff .tag { border-radius: .6rem; padding: .1rem .6rem; background: #e5f3ea; color: #14602f }
.labdiff .stopped, .labdiff .running, .labdiff .warn { background: #fff2d8; color: #7a5200 }
.labdiff .failed, .labdiff .fail { background: #fde5e5; color: #8a1c1c }
"""
"""Style of the parts, which leaves alone what stands around them in a notebook."""


def write_page(path: Path, title: str, parts: Sequence[Markup]) -> Path:
    """Write a page and return its path.

    Args:
        path: the file; its folder is created.
        title: the page's title.
        parts: pieces of HTML, in their order; a plain string among them would be shown as text.

    Raises:
        UserError: the page cannot be written.
    """
    head = (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f"{element('title', title)}<style>{_PAGE_STYLE}{_PARTS_STYLE}</style>"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        page = [head, "<body class='labdiff'>", joined(parts, "\n"), "</body></html>"]
        write_atomically(path, "\n".join(page).encode())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def fragment(parts: Sequence[Markup]) -> str:
    """Return parts as one piece of HTML for a notebook, whose own style they leave alone.

    Example:
        >>> fragment([element("h3", "Loss"), image(figure, "loss over the steps")])
    """
    style = f"<style>{_PARTS_STYLE}</style>"
    return "\n".join(["<div class='labdiff'>", style, *(escaped(part) for part in parts), "</div>"])


def image(figure: Figure, description: str) -> Markup:
    """Return a figure as an image inside the page; description: shown where images are not."""
    data = base64.b64encode(png_bytes(figure)).decode("ascii")
    return element("img", alt=description, src=f"data:image/png;base64,{data}")


def png_bytes(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as a PNG file."""
    buffer = io.BytesIO()
    canvas = FigureCanvasAgg(figure)
    before = figure.dpi
    figure.dpi = dpi
    try:
        # One drawing lays the figure out and draws it; `savefig` makes two.
        figure.canvas.draw()
        pixels = np.asarray(canvas.renderer.buffer_rgba())
        Image.fromarray(pixels).save(buffer, format="png", dpi=(dpi, dpi))
    finally:
        figure.dpi = before
    return buffer.getvalue()
