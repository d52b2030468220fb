"""The commands `labdiff slm status | flat | close | serve`: SLM windows, and one for another computer."""

from __future__ import annotations

from typing import Annotated

import typer

from labdiff.errors import UserError

Address = Annotated[
    str, typer.Option("--monitor", "-m", help="Only the window on this monitor, as slm.address.")
]


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    group = typer.Typer(
        help="Control open SLM windows: they outlive the program that opened them.",
        no_args_is_help=True,
    )
    app.add_typer(group, name="slm")
    group.command("status")(_status)
    group.command("flat")(_flat)
    group.command("close")(_close)
    group.command("serve")(_serve)


def _status(monitor: Address = "") -> None:
    """Show which pattern is on which monitor, and which program owns it."""
    _each("status", monitor)


def _flat(monitor: Address = "") -> None:
    """Show a flat pattern where a program has died; refused while one is running."""
    _each("flat", monitor)


def _close(monitor: Address = "") -> None:
    """Show a flat pattern and close the window: the desktop appears on that monitor."""
    _each("quit", monitor)


def _serve(
    monitor: Annotated[
        str, typer.Option("--monitor", "-m", help="The SLM's monitor, as 'labdiff monitors' says.")
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets the whole network in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; slmPy's own is 9999.", min=0, max=65535)] = 9999,
) -> None:
    """Show what slmPy's clients send on this computer's SLM, such as a Raspberry Pi's; Ctrl-C ends it."""
    from drivers.settings import SlmSettings
    from drivers.slm.level_encoding import VideoOptions
    from drivers.slm.monitor import choose
    from drivers.slm.screen import Screen
    from drivers.slm.slmpy_server import SlmPyServer
    from drivers.slm.window_link import list_monitors
    from labdiff.jobs.stop_signal import StopOnSignal

    shape = choose(list_monitors(), monitor).shape
    screen = Screen.from_settings(SlmSettings(shape, 1.0, monitor, VideoOptions()))
    try:
        server = SlmPyServer(screen.set_grey, shape, host, port)
        try:
            print(
                f"{screen.name}: {shape[0]} x {shape[1]} pixels at {host}:{server.port}", flush=True
            )
            with StopOnSignal() as stop:
                server.serve(stop.requested)
        finally:
            server.close()
    finally:
        screen.close()


def _each(what: str, address: str) -> None:
    from drivers.slm.monitor import means
    from drivers.slm.window_link import WindowLink, running_windows

    windows = [state for state in running_windows() if not address or means(address, state.monitor)]
    if not windows:
        where = f" on monitor {address!r}" if address else ""
        if what == "status":
            print(f"no SLM window{where}")
            return
        raise UserError(f"no SLM window{where}; 'labdiff monitors' lists the monitors")
    for state in windows:
        link = WindowLink(state)
        try:
            answer = link.ask(what)
        finally:
            link.close()
        if what == "status":
            owner = f"in use by {answer['owner']}" if answer["owner"] else "in use by nobody"
            print(f"{state.monitor.title}: {answer['stands']}; {owner}")
        else:
            print(f"{state.monitor.title}: {'flat' if what == 'flat' else 'flat, and closed'}")
