"""The command `labdiff reproduce`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import Device
from labdiff.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""

    @app.command()
    def reproduce(
        name: Annotated[str, typer.Argument(help="A result of the paper, as table1.")],
        scale: Annotated[
            str, typer.Option(help="small (minutes on two cores) or paper (its sizes).")
        ] = "small",
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the results.")] = Path(
            "runs/reproduce"
        ),
        data_dir: Annotated[
            Path | None, typer.Option(help="Folder of data files (else LABDIFF_DATA).")
        ] = None,
        seed: Annotated[int, typer.Option(help="Seed of data and training.", min=0)] = 0,
        bench: Annotated[
            list[str] | None,
            typer.Option("--bench", "-b", help="Bench file or shipped bench; may be repeated."),
        ] = None,
        watts: Annotated[
            float | None,
            typer.Option(help="Power of this computer at work, for energies; else left empty."),
        ] = None,
        device: Device = "auto",
        as_json: Annotated[
            bool, typer.Option("--json", help="Print the result as one JSON line, last.")
        ] = False,
    ) -> None:
        """Reproduce a result of the paper: a picture, and a table of ours beside the paper's."""
        from labdiff.cli.outputs import check_output_folder
        from labdiff.config.bench import SHIPPED
        from labdiff.config.device import choose_device
        from labdiff.job import run
        from labdiff.jobs.stop_signal import StopOnSignal
        from labdiff.reports.progress_bar import ProgressBar
        from labdiff.reproduce.context import Context
        from labdiff.reproduce.results import open_result

        if scale not in ("small", "paper"):
            raise UserError(f"--scale {scale}: allowed are small, paper")
        if watts is not None and not 0.0 < watts < 1e6:
            raise UserError(f"--watts {watts:g}: allowed is more than 0 and less than 1,000,000")
        if device != "auto":
            choose_device(device)
        context = Context(
            name=name,
            out=out,
            scale="small" if scale == "small" else "paper",
            data_dir=data_dir,
            seed=seed,
            benches=tuple(bench or SHIPPED),
            watts=watts,
        )
        job = open_result(name, context)
        check_output_folder(out)
        with StopOnSignal() as stop, ProgressBar() as progress:
            finding = run(job, watch=[progress], should_stop=stop.requested)
        files = [str(path) for path in finding.write(out, name)]
        print(finding.sentence)
        for file in files:
            print(f"wrote {file}")
        if as_json:
            summary = {"name": name, "scale": scale, "seed": seed, "sentence": finding.sentence}
            print(json.dumps({**summary, "rows": finding.rows, "files": files}))
