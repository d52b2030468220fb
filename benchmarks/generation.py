"""Errors, images and the bench: benchmarks/generation.py [--json] [--quick] [--part P] [--units DIR].

    peers       errors by timestep range, beside Wiener, the paper's recipe, digital nets and electronics
    errors      the same without the digital nets
    images      distances of generated images to real ones
    judged      images of units with clusters: distances, recall, variety, and the same without light
    bench       the same layers on the simulated bench
    scaling     figures 5 and 6 at small scale
    command     seconds of labdiff generate

Data sets come from LABDIFF_DATA; with --quick the embedded digits do. Trained units are stored in --units,
and a run that was cut, or a part that is run later, resumes there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.generation_checks import command, errors, images, judged, on_bench, scaling
from benchmarks.generation_checks.units import Units
from benchmarks.parts import Outcome, Part, Setting, parser, run_parts

MEASURES: dict[str, Callable[[Units], Outcome]] = {
    "peers": partial(errors.measure, peers=True),
    "errors": partial(errors.measure, peers=False),
    "images": images.measure,
    "judged": judged.measure,
    "bench": on_bench.measure,
    "scaling": scaling.measure,
    "command": command.measure,
}


NOT_QUICK = ("bench", "scaling")


def parts(folder: Path) -> dict[str, Part]:
    """Return the parts, for a folder of trained units."""

    def part(measure: Callable[[Units], Outcome]) -> Part:
        def measured(setting: Setting) -> Outcome:
            return measure(Units(folder, setting))

        return measured

    return {name: part(measure) for name, measure in MEASURES.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    options = parser(__doc__, MEASURES)
    options.add_argument("--units", type=Path, help="folder in which trained units are stored")
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.units or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        chosen = parts(folder)
        if not given.part:
            # "peers" has all of it.
            del chosen["errors"]
        run_parts("generation", chosen, given, not_quick=NOT_QUICK)


if __name__ == "__main__":
    main()
