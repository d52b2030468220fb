"""A served bench as one actor of Ray, and the connection to it."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import ExitStack, suppress
from typing import Any

from drivers.plain_text import plain_line
from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from labdiff.errors import UserError
from labdiff.remote.blocked_signals import on_blocked_signal
from labdiff.remote.lease import Lease, WhileWaiting
from labdiff.remote.messages import BenchStatus, ConnectionLostError, RemoteError
from labdiff.remote.remote_bench import RemoteBench
from labdiff.remote.served_bench import ServedBench
from labdiff.workers.ray_runtime import joined

log = logging.getLogger(__name__)

NAME, RESOURCE = "bench", "labdiff_bench"
"""Name of the actor; and of the resource of which the laboratory's node has one, so that it runs there."""
THREADS = 6
"""Number of the actor's threads: one measures, one waits its turn, the others hear heartbeats."""
WAIT_S = 0.01
"""Time of one wait for an answer."""
SILENCE_S = 2.0
"""Time without an answered heartbeat after which the connection is lost; the bench is at rest by then."""
UNATTENDED_S = 5.0
"""Time without a sign of the serving program after which the process with the bench ends."""
FIRST_ANSWER_S = 90.0
"""Time in which the first answer has to come: the bench is opened meanwhile."""


class BenchActor:
    """Opens the bench where it runs, and serves it."""

    def __init__(self, bench_text: str, name: str, seed: int) -> None:
        config = parse_bench(bench_text, name)
        self._served = ServedBench(open_bench(config, seed), bench_text, kept=True)
        threading.Thread(target=self._end_unattended, name="keeper", daemon=True).start()
        # The program that serves it learns from the status that it is closed, and ends this process.
        on_blocked_signal(self._served.close)

    def _end_unattended(self) -> None:
        """End this process, and with it the service, when the program that started it has ended."""
        while self._served.unattended_s < UNATTENDED_S:
            time.sleep(1.0)
        self._served.close()
        os._exit(1)

    def call(self, what: str, *arguments: Any) -> Any:
        """Return what `ServedBench.call` returns."""
        return self._served.call(what, *arguments)

    def close(self) -> list[str]:
        """Enter the safe state and close the devices; return what could not be done, one line each."""
        return self._served.close()


def place_bench(ray: Any, bench_text: str, name: str, seed: int) -> Any:
    """Start the one actor of a cluster, wait until it is ready, and return it.

    Args:
        ray: Ray's module, joined to the cluster.
        bench_text: the bench file's text.
        name: of the bench, for messages.
        seed: of a mock laboratory.

    Raises:
        UserError: there is an actor already, or no node for it.
    """
    resources = ray.cluster_resources()
    if resources.get(RESOURCE, 0.0) < 1.0:
        raise UserError(
            "no node of the cluster is the laboratory's; begin this computer's with: ray start "
            f"--address=HOST:PORT --resources='{{\"{RESOURCE}\": 1}}'"
        )
    # Detached, or Ray would kill it together with this program, and nothing would make the bench safe.
    remote = ray.remote(BenchActor).options(
        name=NAME,
        lifetime="detached",
        resources={RESOURCE: 1},
        max_concurrency=THREADS,
        num_cpus=1,
    )
    try:
        actor = remote.remote(bench_text, name, seed)
    except ValueError:
        raise UserError("a bench is served on this cluster already; a cluster has one") from None
    ready, _ = ray.wait([actor.call.remote("status")], timeout=FIRST_ANSWER_S)
    try:
        ray.get(ready[0] if ready else actor.call.remote("status"), timeout=1.0)
    except ray.exceptions.GetTimeoutError:
        raise UserError("the bench does not open; is another one served on this node?") from None
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        raise UserError(f"the bench cannot be opened: {plain_line(cause)}") from None
    return actor


class RayConnection:
    """Calls of an actor, that are given up when its heartbeats are no longer answered."""

    def __init__(self, address: str) -> None:
        """Raise UserError if there is no cluster, or no bench in it."""
        self._opened = ExitStack()
        self._ray = self._opened.enter_context(joined(address))
        self._beat: Any = None
        self._answered_s = time.monotonic()
        try:
            self._actor = self._ray.get_actor(NAME, namespace="labdiff")
        except ValueError:
            self._opened.close()
            raise UserError(
                f"{address}: no bench is served there; begin with: labdiff bench serve BENCH.toml"
            ) from None

    def call(self, what: str, *arguments: Any, while_waiting: WhileWaiting = lambda: None) -> Any:
        """Raise ConnectionLostError if the actor has ended, or no longer answers heartbeats."""
        began_s = time.monotonic()
        answer = self._actor.call.remote(what, *arguments)
        while True:
            ready, _ = self._ray.wait([answer], timeout=WAIT_S)
            if ready:
                try:
                    found = self._ray.get(answer)
                except self._ray.exceptions.RayError as error:
                    self._find_again()
                    raise ConnectionLostError(f"the bench has ended: {plain_line(error)}") from None
                self._answered_s = time.monotonic()
                return found
            while_waiting()
            silent_s = time.monotonic() - max(self._answered_s, began_s)
            if silent_s > (FIRST_ANSWER_S if self._beat is None else SILENCE_S):
                raise ConnectionLostError(f"no answer from the bench for {silent_s:.1f} s")

    def _find_again(self) -> None:
        """Let the next call reach a process that serves the bench in place of one that has ended."""
        with suppress(ValueError, self._ray.exceptions.RayError):
            self._actor = self._ray.get_actor(NAME, namespace="labdiff")

    def send(self, what: str, *arguments: Any) -> None:
        """Call without waiting; an answered heartbeat is noted."""
        sent = self._actor.call.remote(what, *arguments)
        if what != "beat":
            return
        before, self._beat = self._beat, sent
        if before is not None and self._ray.wait([before], timeout=0)[0]:
            self._answered_s = time.monotonic()

    def close(self) -> None:
        """Let go of the cluster."""
        self._opened.close()


def bench_status(address: str) -> BenchStatus:
    """Return the status of the bench of a cluster. Raises UserError as `RayConnection`."""
    connection = RayConnection(address)
    try:
        return _status(connection, address)
    finally:
        connection.close()


def _status(connection: RayConnection, address: str) -> BenchStatus:
    """Return the status of the bench at an address. Raises UserError if there is no answer, or another."""
    try:
        found = connection.call("status")
    except ConnectionLostError as error:
        raise UserError(f"{address}: {error}") from None
    if isinstance(found, RemoteError):
        raise UserError(f"{address}: {found.error()}")
    if not isinstance(found, BenchStatus):
        raise UserError(f"{address}: what answers there is no bench of labdiff")
    return found


def connect_bench(address: str) -> tuple[RemoteBench, str]:
    """Return the bench at an address and the text of its bench file; this process is then its owner.

    Raises UserError if there is none, BenchInUseError if another process has it.
    """
    connection = RayConnection(address)
    try:
        status = _status(connection, address)
        config = parse_bench(status.bench_text, f"bench at {address}")
        return RemoteBench(config, status, Lease(connection)), status.bench_text
    except Exception:
        connection.close()
        raise
