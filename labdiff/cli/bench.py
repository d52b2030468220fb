"""The commands `labdiff bench check | serve | status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labdiff.cli import bench_check
from labdiff.cli.arguments import Remote

if TYPE_CHECKING:
    from labdiff.remote.messages import BenchStatus, RemoteError

LOOPBACK = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    group = typer.Typer(
        help="Check a bench, or serve it to trainings on other computers (train --remote).",
        no_args_is_help=True,
    )
    app.add_typer(group, name="bench")
    bench_check.register(group)
    group.command("serve")(_serve)
    group.command("status")(_status)


def _serve(
    bench: Annotated[str, typer.Argument(help="Bench file, or a shipped bench.")] = "mock",
    host: Annotated[
        str,
        typer.Option(help="Address of this computer in the network; loopback serves it alone."),
    ] = LOOPBACK,
    port: Annotated[
        int, typer.Option(help="Port of the cluster's head.", min=1024, max=65535)
    ] = 6379,
    cluster: Annotated[
        str | None, typer.Option(help="Ray cluster that this computer has joined, HOST:PORT.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of a mock laboratory.", min=0)] = 0,
) -> None:
    """Open a bench and let one training at a time use it; Ctrl-C ends, with laser off and SLM flat."""
    from rich.console import Console

    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.remote.serve import serve

    console, last = Console(stderr=True, highlight=False), [""]
    where = cluster or f"{host}:{port}"

    def report(status: BenchStatus | RemoteError) -> None:
        line = status_line(status)
        if line != last[0]:
            # As text: in the name of an owner nothing is markup.
            console.print(
                f"{line}. Use it with: labdiff train --remote {where}", markup=False, soft_wrap=True
            )
            last[0] = line

    with StopOnSignal() as stop:
        serve(bench, seed, host, port, cluster, report, stop.requested)
    console.print("closed: laser off, SLM flat")


def _status(remote: Remote) -> None:
    """Show who uses a served bench, and whether its laser is on."""
    from labdiff.remote.ray_connection import bench_status

    print(status_line(bench_status(remote)))


def status_line(status: BenchStatus | RemoteError) -> str:
    """Return one line for a person; what strangers named is stripped of control codes."""
    from drivers.plain_text import plain_line
    from labdiff.remote.messages import RemoteError

    if isinstance(status, RemoteError):
        return f"its status is not known: {plain_line(status.message)}"
    laser = "ON" if status.emission else "off"
    if status.owner is not None:
        return f"in use by {plain_line(status.owner)}, laser {laser.lower()}"
    unsafe = "; ".join(plain_line(line) for line in status.left_unsafe)
    if unsafe or not status.at_rest:
        return f"free, NOT at rest: laser {laser}{'; ' if unsafe else ''}{unsafe}"
    return f"free, at rest: laser {laser}, SLM flat"
