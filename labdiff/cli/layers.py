"""The command `labdiff layers export`: trained layers as one small file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    group = typer.Typer(help="Export trained layers as one small file.", no_args_is_help=True)
    app.add_typer(group, name="layers")
    # With a callback a lone command keeps its name.
    group.callback()(_group)
    group.command("export")(_export)


def _group() -> None:
    """Export trained layers as one small file."""


def _export(
    run_file: Annotated[Path, typer.Argument(help="A run file with trained layers.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Layer file.")] = Path("layers.h5"),
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of data files (else LABDIFF_DATA).")
    ] = None,
) -> None:
    """Export the layers of a run, phases in 8 bits, for generate and for train --layers-from."""
    from labdiff.cli.outputs import check_output_file
    from labdiff.session.layer_export import export_layers

    check_output_file(out)
    export_layers(run_file, out, data_dir)
    print(f"wrote {out}, {out.stat().st_size / 1000:.0f} kB")
