"""The command `labdiff doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from labdiff.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("doctor")(_doctor)


def _doctor(
    plans: Annotated[
        bool,
        typer.Option("--plans", help="Show how transforms are computed here, as it was measured."),
    ] = False,
) -> None:
    """Check the installation: show what is installed, and whether anything is wrong with it."""
    from labdiff.cli.installation_check import examine

    if plans:
        from labdiff.session.plans import plan_lines

        for line in plan_lines():
            print(line)
        return
    findings = examine()
    for finding in findings:
        print(f"{'ok ' if finding.good else 'BAD'} {finding.message}")
    if not all(finding.good for finding in findings):
        raise UserError("the installation needs attention; see the lines marked BAD")
