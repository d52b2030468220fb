"""The command `labdiff monitors`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("monitors")(_monitors)


def _monitors(
    identify: Annotated[
        bool, typer.Option("--identify", help="Show a big number on each monitor.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(help="How long --identify shows it.", min=0.5, max=120.0)
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one JSON line.")] = False,
) -> None:
    """List the monitors by identity, and which of them may be an SLM (slm.driver = "screen")."""
    import os
    import sys

    from rich.console import Console
    from rich.table import Table

    from drivers.slm.window_link import list_monitors

    monitors = list_monitors(seconds if identify else None)
    if as_json:
        print(json.dumps([monitor.as_dict() for monitor in monitors]))
        return
    table = Table(title="Monitors", title_justify="left")
    for heading in ("", "name", "maker, model", "serial", "pixels", "scale", "Hz", "as an SLM"):
        table.add_column(heading, overflow="fold")
    for number, monitor in enumerate(monitors, 1):
        why_not = monitor.why_not()
        table.add_row(
            str(number),
            monitor.name,
            " ".join(part for part in (monitor.manufacturer, monitor.model) if part) or "-",
            monitor.serial or "-",
            f"{monitor.shape[1]} x {monitor.shape[0]}",
            f"{monitor.scale:.0%}",
            f"{monitor.refresh_hz:.4g}",
            f"no: {why_not}" if why_not else f'address = "{monitor.address}"',
        )
    Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "110"))).print(
        table
    )
