"""Script tags and control codes in every text of a run and of a calibration, in pages and terminals."""

from __future__ import annotations

import io
import lzma
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import h5py
from rich.console import Console

from benchmarks.attack_checks.attempt import Attempt
from calibration.archive import CalibrationArchive
from labdiff.cli.bench import status_line
from labdiff.config.bench import load_bench
from labdiff.remote.messages import BenchStatus
from labdiff.reports.calibration_report import write_calibration_report
from labdiff.reports.run_report import write_report
from labdiff.reports.run_terminal import run_view
from labdiff.runs.reader import read_run

ARTEFACTS = Path(__file__).parents[2] / "tests" / "artefacts" / "first_edition"
TAGS = "\"'><script>PWN</script><img src=x onerror=PWN><a href='javascript:PWN'>"
CODES = "\x1b[2J\x1b]0;PWN\x07\x1b]8;;http://pwn\x1b\\[link=http://pwn]PWN[/link][bold red]"
Change = Callable[[h5py.File, str], None]


class _Scripts(HTMLParser):
    """Finds what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that runs something."""
        runs = [
            name
            for name, value in attrs
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:")
        ]
        if tag in ("script", "iframe", "object", "embed", "svg") or runs:
            self.found.append(f"<{tag} {' '.join(runs)}>")


def scripts(page: str) -> list[str]:
    """Return what a browser would run of a page."""
    parser = _Scripts()
    parser.feed(page)
    return parser.found


def _attribute(place: str, name: str, file: h5py.File, text: str) -> None:
    file[place].attrs[name] = text


def _text_of_each_row(place: str, file: h5py.File, text: str) -> None:
    rows = file[place].shape[0]
    del file[place]
    file[place] = [text] * rows


def _renamed(place: str, file: h5py.File, text: str) -> None:
    name = text.replace("/", "\\")
    file.move(place, f"{place.rpartition('/')[0]}/{name}")


def _attribute_named(place: str, value: float | str, file: h5py.File, text: str) -> None:
    file[place].attrs[text.replace("/", "\\")] = value


CALIBRATED = "/entry/calibration/exposure"
CHANGES: dict[str, Change] = {
    "reason of the run": partial(_attribute, "/entry", "reason"),
    "outcome": partial(_attribute, "/entry", "outcome"),
    "start": partial(_attribute, "/entry", "start_time"),
    "a version": partial(_attribute, "/entry", "version_torch"),
    "name of a version": lambda file, text: _attribute_named(
        "/entry", "1", file, f"version_{text}"
    ),
    "bench": partial(_attribute, "/entry/config", "bench"),
    "options": partial(_attribute, "/entry/config", "options"),
    "calibration folder": partial(_attribute, "/entry/config", "calibrations"),
    "verdict": partial(_attribute, CALIBRATED, "verdict"),
    "reason of a verdict": partial(_attribute, CALIBRATED, "reason"),
    "remedy of a verdict": partial(_attribute, CALIBRATED, "remedy"),
    "kind of a result": partial(_attribute, CALIBRATED, "kind"),
    "name of a routine": partial(_renamed, CALIBRATED),
    "name of a figure": partial(_attribute_named, "/entry/figures", 1.0),
    "stages": partial(_text_of_each_row, "/entry/events/stages/stage"),
    "methods": partial(_text_of_each_row, "/entry/events/training/method"),
    "messages of calibration": partial(_text_of_each_row, "/entry/events/calibration/message"),
    "messages of alignment": partial(_text_of_each_row, "/entry/events/alignment/message"),
    "name of a column": partial(_renamed, "/entry/events/training/alignment_mirror_edge_px"),
}


@cache
def whole_run() -> bytes:
    """Return a run file of the first edition."""
    return lzma.decompress((ARTEFACTS / "whole.h5.xz").read_bytes())


@cache
def _run_of_texts() -> bytes:
    """Return that run file without its pictures, which take long to draw."""
    content = io.BytesIO(whole_run())
    with h5py.File(content, "r+") as file:
        for name in ("generated", "history", "pictures"):
            del file["entry"][name]
    return content.getvalue()


@contextmanager
def _no_pictures() -> Iterator[None]:
    """Let figures be drawn, but not turned into pictures: that takes seconds and shows no text."""
    with patch("labdiff.reports.html_page.png_bytes", lambda *_: b""):
        yield


def _run_with(folder: Path, change: Change | None, text: str, name: str = "run.h5") -> Path:
    path = folder / name
    path.write_bytes(_run_of_texts())
    if change is not None:
        with h5py.File(path, "r+") as file:
            change(file, text)
    return path


def _page(change: Change, folder: Path) -> Sequence[str]:
    run = read_run(_run_with(folder, change, TAGS))
    with _no_pictures():
        page = write_report(run, folder / "report.html").read_text(encoding="utf-8")
    return scripts(page)


def _named(folder: Path) -> Sequence[str]:
    run = read_run(_run_with(folder, None, "", "<img src=x onerror=PWN>.h5"))
    with _no_pictures():
        return scripts(write_report(run, folder / "report.html").read_text(encoding="utf-8"))


def _calibration(name: str, folder: Path) -> Sequence[str]:
    """Make a calibration's page of an archive whose results carry tags in an attribute."""
    for source in (ARTEFACTS / "calibrations").iterdir():
        path = folder / source.name
        path.write_bytes(source.read_bytes())
        with h5py.File(path, "r+") as file:
            _tag_everywhere(file, name)
    bench = load_bench("mock").model_copy(update={"name": TAGS})
    with _no_pictures():
        page = write_calibration_report(CalibrationArchive(folder), bench)
    return scripts(page.read_text(encoding="utf-8"))


def _tag_everywhere(file: h5py.File, name: str) -> None:
    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if name in item.attrs:
            item.attrs[name] = TAGS

    file.visititems(visit)
    if name in file.attrs:
        file.attrs[name] = TAGS


def _terminal(change: Change, folder: Path) -> Sequence[str]:
    run = read_run(_run_with(folder, change, CODES))
    output = io.StringIO()
    Console(file=output, force_terminal=True, width=200).print(run_view(run, 0.0))
    return _codes(output.getvalue())


def _status(field: str, folder: Path) -> Sequence[str]:
    """Print what `bench status` says of an owner, as a hostile server reports it."""
    del folder
    left = (CODES,) if field == "left unsafe" else ()
    owner = CODES if field == "owner" else None
    line = status_line(BenchStatus("", owner, False, False, 0.0, False, left))
    return _codes(line) + ([] if len(line) < 1000 else ["too long"])


def _codes(text: str) -> list[str]:
    """Return which of the stranger's codes a terminal would obey."""
    codes = {"\x1b[2J": "clears the screen", "\x1b]0;": "names the window", "\x1b]8;": "a link"}
    return [meaning for code, meaning in codes.items() if code in text]


ATTEMPTS = [
    *(Attempt(f"tags: {name}", partial(_page, change)) for name, change in CHANGES.items()),
    Attempt("tags: name of the run file", _named),
    *(
        Attempt(f"tags: calibration's {name}", partial(_calibration, name))
        for name in ("reason", "remedy", "verdict", "kind", "bench", "device", "version_labdiff")
    ),
    *(
        Attempt(f"codes: {name}", partial(_terminal, CHANGES[name]))
        for name in (
            "reason of the run",
            "stages",
            "name of a figure",
            "outcome",
            "name of a column",
        )
    ),
    *(
        Attempt(f"codes: {name} of a served bench", partial(_status, name))
        for name in ("owner", "left unsafe")
    ),
]
