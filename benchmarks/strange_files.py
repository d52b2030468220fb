"""Strange files are read or refused in words: benchmarks/strange_files.py [--json] [--quick] [--part NAME].

    made        files of known kinds, of which each is known to be meaningful or not
    damaged     whole files of every format with random changes (fixed seeds)

Each is read as production reads it, in a process whose time and memory are watched.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.claims import Claim, claim
from benchmarks.file_checks.damaged import damaged_cases
from benchmarks.file_checks.made import KINDS, make_cases
from benchmarks.file_checks.watch import Seen, read_all
from benchmarks.parts import Outcome, Part, Setting, parser, run_parts

ARTEFACTS = Path(__file__).parents[1] / "tests" / "artefacts" / "first_edition"
BLOCK = 500
"""Damaged files that are on the disk at the same time."""
WRONG = ("nameless", "traceback", "overwritten", "hang", "memory")


def measure_made(keep: Path | None, setting: Setting) -> Outcome:
    """Read files made by scripts, each of a kind that is right to read or to refuse."""
    every = setting.amount("made: of the kinds, every ... th", smoke=8, quick=1, full=1)
    variants = setting.amount("made: files of a kind", smoke=1, quick=1, full=4)
    least = setting.amount("made: files", smoke=10, quick=100, full=300)
    with tempfile.TemporaryDirectory() as folder:
        made = read_all(make_cases(Path(folder), KINDS[::every], variants))
        _report(setting.say, made, keep)
    silent = sum(seen.outcome == "read" and seen.case.right == "refused" for seen in made)
    lost = sum(seen.outcome == "refused" and seen.case.right == "read" for seen in made)
    kinds = len({seen.case.kind for seen in made})
    claims = [
        claim("files made by scripts", len(made), f">= {least}"),
        claim("kinds of files", kinds, f">= {80 // every}"),
        *_nothing_wrong("made files", made),
        claim("meaningless files taken", silent, "<= 0"),
        claim("meaningful files refused", lost, "<= 0"),
    ]
    return Outcome(claims, {"outcomes": dict(Counter(seen.outcome for seen in made))})


def measure_damaged(first: int, keep: Path | None, setting: Setting) -> Outcome:
    """Read whole files of every format that were changed at random; `first`: seed of the first one."""
    count = setting.amount("damaged files", smoke=14, quick=140, full=20_000)
    damaged: list[Seen] = []
    for begin in range(0, count, BLOCK):
        with tempfile.TemporaryDirectory() as folder:
            block = min(BLOCK, count - begin)
            found = read_all(damaged_cases(Path(folder), ARTEFACTS, first + begin, block))
            _report(setting.say, found, keep)
            damaged += found
        setting.say(f"{len(damaged)} damaged files")
    claims = [
        claim("damaged files", len(damaged), f">= {count}"),
        *_nothing_wrong("damaged files", damaged),
    ]
    wrong = [
        f"{seen.outcome}: {seen.case.path.name}: {seen.case.kind}: {seen.message}"
        for seen in damaged
        if seen.outcome in WRONG
    ]
    outcomes = dict(Counter(seen.outcome for seen in damaged))
    return Outcome(claims, {"outcomes": outcomes, "wrong": wrong})


def _nothing_wrong(title: str, files: Sequence[Seen]) -> list[Claim]:
    """Return the claims that no reader of these files did what no reader may."""
    outcomes = Counter(seen.outcome for seen in files)
    return [
        claim(f"{title}: tracebacks", outcomes["traceback"], "<= 0"),
        claim(f"{title} that hang their reader (20 s of CPU)", outcomes["hang"], "<= 0"),
        claim(f"{title} that take more than 1 GB", outcomes["memory"], "<= 0"),
        claim(f"{title} overwritten", outcomes["overwritten"], "<= 0"),
        claim(
            f"{title}: refusals that do not name the file, or are no line",
            outcomes["nameless"],
            "<= 0",
        ),
    ]


def _report(say: Callable[[str], None], found: Sequence[Seen], keep: Path | None) -> None:
    """Print what is wrong, and copy those files into a folder if one was named."""
    for seen in found:
        right = seen.case.right
        if seen.outcome not in WRONG and right in (None, seen.outcome):
            continue
        say(f"{seen.outcome}: {seen.case.kind}: {seen.message}")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            place = keep / "-".join(seen.case.path.parts[-3:])
            copy = shutil.copytree if seen.case.path.is_dir() else shutil.copy
            copy(seen.case.path, place)


def parts(first: int = 0, keep: Path | None = None) -> dict[str, Part]:
    """Return the parts, for damaged files from this seed on and a folder for files that failed."""
    return {"made": partial(measure_made, keep), "damaged": partial(measure_damaged, first, keep)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read made and damaged files, then print one JSON line."""
    options = parser(__doc__, parts())
    options.add_argument("--first", type=int, default=0, help="seed of the first damaged file")
    options.add_argument("--keep", type=Path, help="folder for the files that failed")
    given = options.parse_args(arguments)
    run_parts("strange_files", parts(given.first, given.keep), given)


if __name__ == "__main__":
    main()
