"""Strange files are read or refused in words: benchmarks/strange_files.py [--json] [--quick].

Made files are of known kinds, of which each is known to be meaningful or not; damaged files are whole
ones of every format with random changes (fixed seeds). Each is read as production reads it, in a process
whose time and memory are watched.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console

from benchmarks.claims import Claim, claim, finish, parser
from benchmarks.file_checks.damaged import damaged_cases
from benchmarks.file_checks.made import KINDS, make_cases
from benchmarks.file_checks.watch import Seen, read_all

ARTEFACTS = Path(__file__).parents[1] / "tests" / "artefacts"
VARIANTS, QUICK_VARIANTS = 4, 1
DAMAGED, QUICK_DAMAGED = 20_000, 140
BLOCK = 500
"""Damaged files that are on the disk at the same time."""
WRONG = ("nameless", "traceback", "overwritten", "hang", "memory")


def main() -> None:
    """Read made and damaged files, then print one JSON line."""
    options = parser(__doc__)
    options.add_argument("--first", type=int, default=0, help="seed of the first damaged file")
    options.add_argument("--keep", type=Path, help="folder for the files that failed")
    arguments = options.parse_args()
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        cases = make_cases(Path(folder), KINDS, QUICK_VARIANTS if arguments.quick else VARIANTS)
        made = read_all(cases)
        _show(console, made, arguments.keep)
    damaged: list[Seen] = []
    count = QUICK_DAMAGED if arguments.quick else DAMAGED
    for first in range(0, count, BLOCK):
        with tempfile.TemporaryDirectory() as folder:
            block = min(BLOCK, count - first)
            cases = damaged_cases(Path(folder), ARTEFACTS, arguments.first + first, block)
            found = read_all(cases)
            _show(console, found, arguments.keep)
            damaged += found
        console.print(f"{len(damaged)} damaged files")
    finish(
        "strange_files",
        _claims(made, damaged, arguments.quick),
        arguments.json,
        quick=arguments.quick,
        outcomes=dict(Counter(seen.outcome for seen in (*made, *damaged))),
    )


def _claims(made: list[Seen], damaged: list[Seen], quick: bool) -> list[Claim]:
    both = Counter(seen.outcome for seen in (*made, *damaged))
    silent = sum(seen.outcome == "read" and seen.case.right == "refused" for seen in made)
    lost = sum(seen.outcome == "refused" and seen.case.right == "read" for seen in made)
    files = 100 if quick else 300
    return [
        claim("files made by scripts", len(made), f">= {files}"),
        claim("kinds of files", len({seen.case.kind for seen in made}), ">= 80"),
        claim("damaged files", len(damaged), f">= {QUICK_DAMAGED if quick else DAMAGED}"),
        claim("tracebacks", both["traceback"], "<= 0"),
        claim("files that hang their reader (20 s of CPU)", both["hang"], "<= 0"),
        claim("files that take more than 1 GB", both["memory"], "<= 0"),
        claim("files overwritten", both["overwritten"], "<= 0"),
        claim("refusals that do not name the file, or are no line", both["nameless"], "<= 0"),
        claim("meaningless files taken", silent, "<= 0"),
        claim("meaningful files refused", lost, "<= 0"),
    ]


def _show(console: Console, found: list[Seen], keep: Path | None) -> None:
    """Print what is wrong, and keep those files."""
    for seen in found:
        right = seen.case.right
        if seen.outcome not in WRONG and right in (None, seen.outcome):
            continue
        console.print(f"{seen.outcome}: {seen.case.kind}: {seen.message}", markup=False)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            place = keep / "-".join(seen.case.path.parts[-3:])
            copy = shutil.copytree if seen.case.path.is_dir() else shutil.copy
            copy(seen.case.path, place)


if __name__ == "__main__":
    main()
