"""Serve a bench from the computer that it hangs on: a Ray node of its own, or one that is there."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from drivers.own_process import own_group, python_command
from drivers.plain_text import plain_line
from labdiff.bench.bench_safety import note_laser_that_may_be_on
from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from labdiff.remote.messages import BenchStatus, RemoteError
from labdiff.remote.port_owner import own_port
from labdiff.remote.ray_connection import RESOURCE, place_bench
from labdiff.workers.ray_runtime import (
    OBJECTS_BYTES,
    is_loopback,
    joined,
    private_folder,
    ray_module,
)
from labdiff.workers.ray_token import keep_token_private

STATUS_S = 0.5
"""Time between two reports of the status."""
KEEP_S = 0.3
"""Time between two signs of life to the process that has the bench."""
STATUS_WITHIN_S = 5.0
"""Time in which the status has to come."""
STARTS_WITHIN_S = 60.0
"""Time in which Ray's first node has to start."""
STARTED = "Ray runtime started"
"""Words in the output of a node that runs."""
ENDS_WITHIN_S = 15.0
"""Time in which the bench has to be safe, and the node to end."""


def serve(
    bench: str,
    seed: int,
    host: str,
    port: int,
    cluster: str | None,
    report: Callable[[BenchStatus | RemoteError], None],
    should_stop: Callable[[], bool],
) -> None:
    """Serve a bench until `should_stop`; it is then safe and closed.

    Args:
        bench: Bench file, or the name of a shipped bench.
        seed: Of a mock laboratory.
        host: Address at which a cluster starts here; other computers reach it if it is not loopback.
        port: Of the cluster.
        cluster: Address of a running cluster that this computer has joined, in place of a new one.
        report: Called with the status again and again, or with the error of the device that hid it.
        should_stop: Ends serving.

    Raises:
        UserError: For a user's mistake, if the process with the bench has ended, and if the bench could not
            be made safe; the last two are noted for the line that ends the command.
    """
    name, text = bench_text(bench)
    parse_bench(text, name)
    with ExitStack() as opened:
        if cluster is None:
            cluster = f"{host}:{port}"
            ray_module(cluster)
            opened.enter_context(_head(host, port))
        ray = opened.enter_context(joined(cluster))
        actor = place_bench(ray, text, name, seed)
        try:
            opened.enter_context(_heartbeats(actor))
            while not should_stop():
                status = _status(ray, actor)
                if isinstance(status, BenchStatus) and status.closed:
                    break  # by a signal to its own process
                report(status)
                time.sleep(STATUS_S)
        except ray.exceptions.RayError:
            pass  # the process has ended: `_close` finds that too, and reports it
        finally:
            _close(ray, actor, name)


@contextmanager
def _heartbeats(actor: Any) -> Iterator[None]:
    """Send the process with the bench a sign of life again and again; without it the bench rests."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(KEEP_S):
            actor.call.remote("keep")

    threading.Thread(target=keep, name="keeper", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _status(ray: Any, actor: Any) -> BenchStatus | RemoteError:
    """Return the status; an error where a device, or the process, does not answer in time."""
    try:
        status: BenchStatus | RemoteError = ray.get(
            actor.call.remote("status"), timeout=STATUS_WITHIN_S
        )
    except ray.exceptions.GetTimeoutError:
        return RemoteError("Timeout", f"no answer from the bench for {STATUS_WITHIN_S:g} s")
    return status


def _close(ray: Any, actor: Any, name: str) -> None:
    """Make the bench safe and end its process. Raises UserError if that is not confirmed."""
    try:
        left_unsafe = ray.get(actor.close.remote(), timeout=ENDS_WITHIN_S)
        ray.kill(actor)
    except ray.exceptions.GetTimeoutError:
        left_unsafe = [f"the bench was not safe within {ENDS_WITHIN_S:g} s"]
        ray.kill(actor)
    except ray.exceptions.RayError as error:
        left_unsafe = [f"the process that has the bench is gone ({plain_line(error)})"]
    if left_unsafe:
        what = "; ".join(left_unsafe)
        note_laser_that_may_be_on(f"that of {name}", f"{what}; switch it off by hand")
        raise UserError(f"{name}: {what}")


@contextmanager
def _head(host: str, port: int) -> Iterator[None]:
    """Start the first node of a cluster, which ends when this is left."""
    keep_token_private(create=True)
    with own_port(host, port), private_folder() as folder:
        yield from _node(folder, host, port)


def _node(folder: Path, host: str, port: int) -> Iterator[None]:
    """Run a node while this is suspended. folder: for its sockets and logs."""
    start = ("start", "--head", "--block")
    command = python_command("labdiff.remote.node_process", str(folder.parent), *start)
    command += [f"--node-ip-address={host}", f"--port={port}", f'--resources={{"{RESOURCE}": 1}}']
    command += ["--num-cpus=1", "--num-gpus=0", "--include-dashboard=false"]
    command.append(f"--temp-dir={folder}")
    command += [f"--object-store-memory={OBJECTS_BYTES}", "--disable-usage-stats"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        # Ctrl-C is meant for this program, which makes the bench safe before the node ends.
        **own_group(),
    ) as node:
        try:
            _wait_for_start(node, host, port)
            yield
        finally:
            if node.stdin is not None:
                with suppress(OSError):  # it has ended by itself
                    node.stdin.write("e")
                    node.stdin.close()
            try:
                node.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                node.terminate()


def _wait_for_start(node: subprocess.Popen[str], host: str, port: int) -> None:
    """Read a node's output until it runs. Raises UserError if it does not start."""
    output: list[str] = []
    until_s = time.monotonic() + STARTS_WITHIN_S
    for line in node.stdout or ():
        output.append(line)
        if STARTED in line:
            return
        if time.monotonic() > until_s:
            break
    why = " ".join(" ".join(output[-6:]).split()) or "it printed nothing"
    where = "" if is_loopback(f"{host}:{port}") else f"; is {host} an address of this computer?"
    raise UserError(f"Ray does not begin at {host}:{port}{where} ({why})")
