"""The lease of a served bench, on the user's side: attach, heartbeats, calls, attach again after a cut.

The server makes a token for each lease; it goes with every call, heartbeats are sent while one is held.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

from drivers.errors import DeviceDisconnectedError
from drivers.plain_text import plain_line
from labdiff.bench.batch import ShouldStop
from labdiff.errors import JobStoppedError
from labdiff.remote.messages import (
    BenchChangedError,
    BenchInUseError,
    ConnectionLostError,
    GrantedLease,
    LeaseLostError,
    RemoteError,
)
from labdiff.remote.serialisation import Traffic, pack, unpack

log = logging.getLogger(__name__)

HEARTBEAT_S = 0.2
"""Time between two heartbeats."""
PATIENCE_S = 60.0
"""How long a batch waits for a connection that was lost."""
RETRY_S = 0.5
"""Time between two tries to attach again."""
OWN_LEASE_S = 5.0
"""After a cut: how long a bench that is in use may be so by this run's last lease, which is running out."""

WhileWaiting: TypeAlias = Callable[[], object]


class BenchConnection(Protocol):
    """The connection to a served bench."""

    def call(self, what: str, *arguments: Any, while_waiting: WhileWaiting = lambda: None) -> Any:
        """Return the answer of `ServedBench.call`; raise ConnectionLostError if none comes.

        while_waiting: called again and again until the answer is there.
        """
        ...

    def send(self, what: str, *arguments: Any) -> None:
        """Call without an answer; waits for nothing."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Lease:
    """Owns a served bench while it is attached. up, down: the traffic so far.

    patience_s: how long a batch waits for a lost connection. sleep_s: waits between two tries.
    """

    def __init__(
        self,
        connection: BenchConnection,
        patience_s: float = PATIENCE_S,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection, self.patience_s, self.sleep_s = connection, patience_s, sleep_s
        self.token: str | None = None
        self._last_tokens: list[str] = []
        self.up, self.down = Traffic(), Traffic()
        self.attached = False
        self._name = f"process {os.getpid()} of {platform.node()}"
        self._ended = threading.Event()
        threading.Thread(target=self._beat, name="heartbeats", daemon=True).start()

    def attach(self) -> None:
        """Attach the bench; its laser goes on.

        Raises BenchInUseError if another user has it, BenchChangedError if one had it since this one's last
        lease.
        """
        granted: GrantedLease = self.call("attach", self._name, tuple(self._last_tokens))
        self.token = granted.token
        try:
            if self._last_tokens and not granted.undisturbed:
                raise BenchChangedError(
                    "remote bench: another run used it meanwhile, or it was opened anew, and its devices "
                    "are set otherwise; begin again where they are set, with --resume"
                )
            # Whether the bench has heard this call is not known before its answer is here.
            self._last_tokens.append(granted.token)
            self.call("switch_on", granted.token)
            self._last_tokens = [granted.token]
        except BaseException:
            self._drop()
            raise
        self.attached = True

    def detach(self) -> list[str]:
        """Let go of the bench, which enters the safe state; return what it could not do.

        A bench whose connection is lost enters it by itself.
        """
        self.attached = False
        if self.token is None:
            return []
        try:
            left_unsafe: list[str] = self.call("detach", self.token)
        except ConnectionLostError as error:
            log.warning("%s; the bench enters the safe state by itself", error)
            return []
        finally:
            self.token = None
        return left_unsafe

    def end(self) -> None:
        """Send no further heartbeats."""
        self._ended.set()

    def attach_again(self, reason: Exception, should_stop: ShouldStop) -> None:
        """Attach again after a cut, for as long as `patience_s`.

        reason: the error of the cut. should_stop: True ends the wait, with JobStoppedError. Raises
        DeviceDisconnectedError after `patience_s`, BenchInUseError if another user has the bench by then,
        BenchChangedError if one had it meanwhile.
        """
        self.attached, self.token = False, None
        began_s = time.monotonic()
        while not should_stop():
            try:
                self.attach()
            except (ConnectionLostError, LeaseLostError, BenchInUseError) as error:
                tried_s = time.monotonic() - began_s
                if isinstance(error, BenchInUseError) and tried_s > OWN_LEASE_S:
                    raise
                if tried_s > self.patience_s:
                    raise DeviceDisconnectedError(
                        f"remote bench: {reason}; not there for {self.patience_s:g} s. It has come to rest "
                        "by itself"
                    ) from error
                self.sleep_s(RETRY_S)
            else:
                log.warning("the bench is there again: the batch is measured from its start")
                return
        raise JobStoppedError("stopped while the bench's connection was lost")

    def ask(self, operation: str, *values: Any) -> Any:
        """Return the result of an operation on a device there.

        After a cut the bench is at rest and its devices are set otherwise: nothing is asked again.
        Raises DeviceDisconnectedError then.
        """
        packed = pack(values)
        self.up.count(packed)
        try:
            answer = self.call("operate", self.token, operation, *packed)
        except (ConnectionLostError, LeaseLostError) as error:
            self.attached = False
            kind = operation.partition(".")[0]
            raise DeviceDisconnectedError(f"remote {kind}: {error}") from error
        self.down.count(answer)
        return unpack(answer)

    def call(self, what: str, *arguments: Any, while_waiting: WhileWaiting = lambda: None) -> Any:
        """Return the answer of `ServedBench.call`, or raise the error that it is."""
        answer = self.connection.call(what, *arguments, while_waiting=while_waiting)
        if isinstance(answer, RemoteError):
            raise answer.error()
        return answer

    def _drop(self) -> None:
        """Let go of a bench that did not go on; what fails now stands behind the first error."""
        token, self.token = self.token, None
        with suppress(Exception):
            self.call("detach", token)

    def _beat(self) -> None:
        failed = False
        while not self._ended.wait(HEARTBEAT_S):
            token = self.token
            if token is None:
                continue
            try:
                self.connection.send("beat", token)
                failed = False
            except Exception as error:  # the next one may go through: without any the bench rests
                if not failed:
                    log.warning("a heartbeat cannot be sent: %s", plain_line(error))
                failed = True
