"""Bench files for other layers: the text of one, with the changed values in it."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from labdiff.config.bench import bench_text, parse_bench

SPACE_PX = 20
"""Columns between two patches, and beside the outer ones; rows above and below."""


def resized_bench(text: str, layer_shape: tuple[int, int], layers: int) -> str:
    """The bench file `text` for `layers` layers of `layer_shape` = (height, width) pixels.

    Kept: the gap between SLM and mirror, the pixel pitch, the wavelength, and the ratio of the beam's waist
    to the patch's width. The panel grows where the patches need more room. All else is as it was,
    comments too. Raises UserError if that is no bench.
    """
    config = parse_bench(text, "bench file")
    height, width = layer_shape
    patches = layers + (1 if config.input.kind == "slm_patch" else 0)
    panel = (
        max(config.slm.shape[0], height + 2 * SPACE_PX),
        max(config.slm.shape[1], patches * (width + SPACE_PX) + SPACE_PX),
    )
    waist_mm = config.source.waist_mm * width / config.cavity.patch_shape[1]
    changes = {
        ("source", "waist_mm"): round(waist_mm, 6),
        ("cavity", "patch_shape"): [height, width],
        ("cavity", "patch_top"): (panel[0] - height) // 2,
        ("cavity", "patch_lefts"): [SPACE_PX + i * (width + SPACE_PX) for i in range(patches)],
        ("slm", "shape"): list(panel),
    }
    changed = with_values(text, changes)
    parse_bench(changed, f"bench file for {layers} layers of {height} x {width}")
    return changed


def with_values(text: str, changes: dict[tuple[str, str], Any]) -> str:
    """TOML text with other numbers, or lists of them, at (section, key); the lines must be there.

    A value that is the same stays as it is written. Raises KeyError for a line that is not there.
    """
    missing = dict(changes)
    before = tomllib.loads(text)
    section, lines = "", []
    for line in text.splitlines():
        if header := re.match(r"\[([\w.]+)\]", line):
            section = header[1]
        found = re.match(r"(?P<key>\w+)(?P<sign>\s*=\s*)[^#]*?(?P<rest>\s*#.*)?$", line)
        place = (section, found["key"]) if found else ("", "")
        if found and place in missing:
            value = missing.pop(place)
            if before[section][found["key"]] != value:
                line = f"{found['key']}{found['sign']}{value}{found['rest'] or ''}"
        lines.append(line)
    if missing:
        raise KeyError(f"not in the text: {', '.join('.'.join(place) for place in missing)}")
    return "\n".join(lines) + "\n"


def paper_bench() -> str:
    """Bench file of the paper's simulated unit: four layers of 300 x 300, a DMD at the input."""
    return resized_bench(bench_text("mock-paper")[1], (300, 300), 4)
