"""Change the layers in the text of a bench file."""

from __future__ import annotations

import re
import tomllib

from labdiff.config.bench import bench_text, parse_bench

SPACE_PX = 20
"""Number of columns between two patches and beside the outer ones, and of rows above and below."""


def resized_bench(text: str, layer_shape: tuple[int, int], layers: int) -> str:
    """Return a bench file's text for other layers.

    Gap between SLM and mirror, pixel pitch, wavelength, and the ratio of the beam's waist to the patch's
    width stay. The panel grows where the patches need more room. All else is unchanged, with its comments.

    Args:
        text: the bench file.
        layer_shape: (height, width) of a layer, pixels.
        layers: number of layers.

    Raises:
        UserError: the result is no valid bench.
    """
    config = parse_bench(text, "bench file")
    height, width = layer_shape
    patches = layers + (1 if config.input.kind == "slm_patch" else 0)
    panel = (
        max(config.slm.shape[0], height + 2 * SPACE_PX),
        max(config.slm.shape[1], patches * (width + SPACE_PX) + SPACE_PX),
    )
    waist_mm = config.source.waist_mm * width / config.cavity.patch_shape[1]
    changes: dict[tuple[str, str], object] = {
        ("source", "waist_mm"): round(waist_mm, 6),
        ("cavity", "patch_shape"): [height, width],
        ("cavity", "patch_top"): (panel[0] - height) // 2,
        ("cavity", "patch_lefts"): [SPACE_PX + i * (width + SPACE_PX) for i in range(patches)],
        ("slm", "shape"): list(panel),
    }
    changed = with_values(text, changes)
    parse_bench(changed, f"bench file for {layers} layers of {height} x {width}")
    return changed


def with_values(text: str, changes: dict[tuple[str, str], object]) -> str:
    """Return TOML text with other numbers, or lists of them, at (section, key).

    The line of an equal value is unchanged. Raises KeyError for a line that is missing.
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
    """Return the bench file of the paper's simulated unit: four layers of 300 x 300, a DMD at the input."""
    return resized_bench(bench_text("mock-paper")[1], (300, 300), 4)
