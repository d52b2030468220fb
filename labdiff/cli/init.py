"""The command `labdiff init`."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError

if TYPE_CHECKING:
    from drivers.discovery.found import Attached
    from labdiff.config.bench_draft import BenchDraft


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("init")(_init)


def _init(
    path: Annotated[Path, typer.Argument(help="Bench file to write.")] = Path("bench.toml"),
    kind: Annotated[
        str | None, typer.Option(help="Shipped bench to start from, without any question.")
    ] = None,
    from_devices: Annotated[
        bool,
        typer.Option(
            "--from-devices", help="Write it for the devices that are attached to this computer."
        ),
    ] = False,
    use: Annotated[
        list[str] | None,
        typer.Option(
            help="With --from-devices: part of the title or address of the device to use where several are "
            "attached; may be repeated."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Longest search of each back end, s.", min=0.1, max=60.0)
    ] = 10.0,
) -> None:
    """Write a bench file, commented line by line. In a terminal it asks; no light is switched on."""
    if kind is not None and (from_devices or use):
        raise UserError("--kind and --from-devices, --use exclude each other")
    if use and not from_devices:
        raise UserError("--use: belongs to --from-devices")
    if path.exists():
        raise UserError(f"{path}: exists already and is not overwritten; choose another name")
    asked = sys.stdin is not None and sys.stdin.isatty()
    draft: BenchDraft | None = None
    if from_devices:
        from labdiff.cli.init_devices import draft_from_devices

        draft = draft_from_devices(path.stem, _found(timeout), tuple(use or ()), asked)
    elif asked and kind is None:
        from labdiff.cli.init_devices import draft_by_questions

        draft = draft_by_questions(path.stem, _found(timeout))
    if draft is None:
        _write(path, _shipped(kind or "mock"))
        print(f"wrote {path}; run it with: labdiff demo --bench {path}")
        return
    text = draft.text()
    from labdiff.config.bench import parse_bench

    parse_bench(text, str(path))  # what was asked or found may not fit together
    _write(path, text.encode("utf-8"))
    for device, of in (("SLM", draft.slm), ("camera", draft.camera), ("laser", draft.laser)):
        print(f"  {device}: {of.driver}{f', {of.title}' if of.title else ''}")
    print(f"wrote {path}. Set what is marked CHECK in it, then: labdiff bench check {path} --dark")


def _found(timeout_s: float) -> list[Attached]:
    """Search for devices; a back end that did not answer is named."""
    from drivers.discovery.search import all_back_ends, search

    print("searching for devices ...", file=sys.stderr)
    back_ends = all_back_ends()
    found: list[Attached] = []
    for each in search(timeout_s, back_ends):
        found += each.found
        if each.problem and not each.problem.startswith("needs "):
            print(f"  {back_ends[each.back_end].title}: {each.problem}", file=sys.stderr)
    return found


def _shipped(kind: str) -> bytes:
    from labdiff.config.bench import SHIPPED

    if kind not in SHIPPED:
        raise UserError(f"--kind {kind}: no such shipped bench; allowed are {', '.join(SHIPPED)}")
    return resources.files("labdiff").joinpath("config", "benches", f"{kind}.toml").read_bytes()


def _write(path: Path, text: bytes) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
