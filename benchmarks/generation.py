"""Errors, images and the bench: python benchmarks/generation.py --json [--quick] [--part P] [--kept DIR].

Data sets come from LABDIFF_DATA; with --quick the embedded digits do. Trained units stay in --kept, and a
run that was cut, or a part that is run later, goes on from there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.claims import finish, parser
from benchmarks.generation_checks import command, errors, images, on_bench, scaling
from benchmarks.generation_checks.setting import Setting

PARTS = {
    "errors": lambda setting: errors.measure(setting, peers=False),
    "peers": lambda setting: errors.measure(setting, peers=True),
    "images": images.measure,
    "bench": on_bench.measure,
    "scaling": scaling.measure,
    "command": command.measure,
}


def main() -> None:
    """Measure, then print one JSON line."""
    options = parser(__doc__)
    options.add_argument(
        "--part", choices=PARTS, action="append", help="only this part; repeatable"
    )
    options.add_argument("--kept", type=Path, help="folder where trained units stay")
    arguments = options.parse_args()
    # "peers" has all of "errors".
    chosen = arguments.part or [name for name in PARTS if name != "errors"]
    with tempfile.TemporaryDirectory() as folder:
        kept = arguments.kept or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        setting = Setting(kept, arguments.quick, arguments.json)
        claims, tables = [], {}
        for name in chosen:
            found, tables[name] = PARTS[name](setting)
            claims += found
    finish("generation", claims, arguments.json, parts=tables)


if __name__ == "__main__":
    main()
