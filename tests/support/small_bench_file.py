"""A bench file like the shipped one, at half its size: a quarter of the light to compute."""

from __future__ import annotations

from pathlib import Path

from labdiff.config.bench import bench_text

HALVED = {
    "waist_mm = 0.60 ": "waist_mm = 0.30 ",
    # Diffraction over a patch stays the same: the distance goes with the square of its size.
    "z_gap_mm = 5.7 ": "z_gap_mm = 1.425 ",
    "patch_shape = [100, 100]": "patch_shape = [50, 50]",
    "patch_top = 22 ": "patch_top = 11 ",
    "patch_lefts = [20, 140, 260, 380, 500]": "patch_lefts = [10, 70, 130, 190, 250]",
    "shape = [144, 640]": "shape = [72, 320]",
    "shape = [256, 320]": "shape = [128, 160]",
}
"""Lines of the shipped bench file and what stands there instead."""


def small_bench_text() -> str:
    """Return the text of the bench file."""
    _, text = bench_text("mock")
    for shipped, halved in HALVED.items():
        if text.count(shipped) != 1:
            raise ValueError(f"the shipped bench file has no longer one {shipped!r}")
        text = text.replace(shipped, halved)
    return text


def write_small_bench(folder: Path) -> Path:
    """Write bench.toml into a folder and return its path."""
    path = folder / "bench.toml"
    path.write_text(small_bench_text(), encoding="utf-8")
    return path
