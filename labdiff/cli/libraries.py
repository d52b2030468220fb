"""The command `labdiff libraries`."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("libraries")(_libraries)


def _libraries(
    bench: Annotated[str, typer.Argument(help="Bench file.")],
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Let labdiff load them on this computer from now on.")
    ] = False,
) -> None:
    """List makers' libraries that a bench file names; they are loaded only where they are confirmed."""
    from labdiff.config.bench import load_bench
    from labdiff.config.libraries import named_libraries

    found = named_libraries(load_bench(bench))
    if not found:
        print(f"{bench}: names no library")
    for library in found:
        if confirm:
            library.confirm()
        state = "confirmed" if library.confirmed else "not confirmed"
        print(f"{library.key} = {library.value}: {state}")
