"""The command `labdiff evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import BenchHere, Yes
from labdiff.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""

    @app.command()
    def evaluate(
        run_file: Annotated[Path, typer.Argument(help="A run file with trained layers.")],
        where: Annotated[str, typer.Option(help="twin or bench.")] = "twin",
        count: Annotated[int, typer.Option(help="Images to generate.", min=2)] = 1000,
        seed: Annotated[int, typer.Option(help="Seed of everything drawn.", min=0)] = 0,
        inception_weights: Annotated[
            Path | None, typer.Option(help="Weights of the FID Inception (else LABDIFF_DATA).")
        ] = None,
        data_dir: Annotated[
            Path | None, typer.Option(help="Folder of data files (else LABDIFF_DATA).")
        ] = None,
        out: Annotated[
            Path | None, typer.Option("--out", "-o", help="Folder for tables and figures.")
        ] = None,
        bench: BenchHere = None,
        yes: Yes = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print the figures as one JSON line, last.")
        ] = False,
    ) -> None:
        """Score trained layers: errors by timestep range, and FID, KID of generated images."""
        from labdiff.cli.outputs import check_output_folder
        from labdiff.job import run
        from labdiff.jobs.bench_of_file import Consent
        from labdiff.jobs.evaluation_job import EvaluationJob, EvaluationRequest
        from labdiff.jobs.stop_signal import StopOnSignal
        from labdiff.reports.evaluation_report import (
            evaluation_figures,
            print_evaluation,
            write_evaluation,
        )
        from labdiff.reports.progress_bar import ProgressBar

        if where not in ("twin", "bench"):
            raise UserError(f"--where {where}: allowed are twin, bench")
        request = EvaluationRequest(
            run_file,
            "bench" if where == "bench" else "twin",
            count,
            seed,
            inception_weights,
            data_dir,
            Consent(bench, yes),
        )
        if out is not None:
            check_output_folder(out)
        prepared = EvaluationJob(request)
        with StopOnSignal() as stop, ProgressBar() as progress:
            found = run(prepared.job(), watch=[progress], should_stop=stop.requested)
        print_evaluation(found)
        if out is not None:
            write_evaluation(found, out)
            print(f"wrote {out}")
        if as_json:
            print(json.dumps(evaluation_figures(found)))
