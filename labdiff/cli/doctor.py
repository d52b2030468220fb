"""The command `labdiff doctor`."""

from __future__ import annotations

import typer

from labdiff.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("doctor")(_doctor)


def _doctor() -> None:
    """Check the installation: show what is installed, and whether anything is wrong with it."""
    from labdiff.cli.installation_check import examine

    findings = examine()
    for finding in findings:
        print(f"{'ok ' if finding.good else 'BAD'} {finding.message}")
    if not all(finding.good for finding in findings):
        raise UserError("the installation needs attention; see the lines marked BAD")
