"""Make the pictures of docs/mock-bench.md anew: python docs/mock_pictures.py [NAME ...]."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import rc_context
from mock_sheets import camera, dmd, drift, faults, optics, slm, timing
from mock_sheets.layout import STYLE, Sheet

FOLDER = Path(__file__).parent / "images" / "mock"


class Picture(NamedTuple):
    """A file NAME.png of the documentation, and the function that draws its page."""

    name: str
    draw: Callable[[], Sheet]


PICTURES = (
    Picture("bench", optics.bench),
    Picture("slm", slm.slm),
    Picture("slm-light", optics.slm_light),
    Picture("beam", optics.beam),
    Picture("cavity", optics.cavity),
    Picture("relay", optics.relay),
    Picture("dmd", dmd.dmd),
    Picture("camera", camera.camera),
    Picture("camera-noise", camera.camera_noise),
    Picture("time", timing.in_time),
    Picture("drift", drift.drift),
    Picture("drift-light", drift.drift_light),
    Picture("faults", faults.faults),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make all pictures, or those named, and print the size of each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [picture.name for picture in PICTURES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the files")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - set(names)
    if unknown:
        parser.error(f"no picture {', '.join(sorted(unknown))}; one of {', '.join(names)}")
    given.to.mkdir(parents=True, exist_ok=True)
    with rc_context(STYLE):
        for picture in PICTURES:
            if not given.names or picture.name in given.names:
                path = given.to / f"{picture.name}.png"
                picture.draw().save(path)
                print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
