"""The laboratory's side: a bench that has one owner at a time, and that rests when the owner falls silent.

Whatever moves a device needs the owner's token, which `attach` gives out and which ends with the lease. Who
has none is refused at once: only the owner's calls wait for one another, so nobody can keep the bench from
hearing its owner. Making dark waits for nothing.

It knows nothing of Ray: `labdiff.remote.ray_connection` makes an actor of it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from drivers.errors import DeviceError, DeviceStateError, DeviceValueError
from drivers.plain_text import plain_line, plain_lines
from labdiff.bench.batch import Arrays, NextBatch
from labdiff.bench.bench import Bench
from labdiff.errors import JobStoppedError
from labdiff.remote.device_operations import WITHOUT_TURN, device_operations
from labdiff.remote.messages import (
    AcquiredBatch,
    BatchMissingError,
    BenchStatus,
    GrantedLease,
    LeaseLostError,
    RemoteError,
    SentBatch,
)
from labdiff.remote.ownership import Ownership, same_token
from labdiff.remote.serialisation import pack, unpack

log = logging.getLogger(__name__)

LEASE_S = 1.5
"""Silence after which the laser goes off; with a frame's end and the SLM it is dark within 2 s."""
AGAIN_S = 2.0
"""Time between two tries to make a bench safe that nobody has."""
SENT_AHEAD = 2
"""Number of batches that are stored before they are measured."""
CHECK_S = 0.1
"""Time between two checks of the owner."""


class ServedBench:
    """Answers `call`; a thread watches the owner. An owner's calls are made in turn.

    bench_text: of its bench file. now_s: returns the time by which silence is counted, real whatever the
    bench's own clock is. watch: start the thread; else `check_owner` is to be called. kept: the program
    that serves it calls `keep` again and again; without it the bench rests, and is given to nobody.
    """

    def __init__(
        self,
        bench: Bench,
        bench_text: str,
        now_s: Callable[[], float] = time.monotonic,
        watch: bool = True,
        kept: bool = False,
    ) -> None:
        self._bench, self._text, self._now_s = bench, bench_text, now_s
        self._operations = device_operations(bench.unpacked_devices)
        self._ownership = Ownership(now_s, LEASE_S)
        self._rested_s: float | None = now_s()
        self._last_token: str | None = None
        """Token of the last lease in which devices were used."""
        self._made_safe_s = now_s()
        self._kept_s = now_s() if kept else math.inf
        self._prefetched: dict[int, tuple[Arrays, Arrays]] = {}
        # On a virtual clock what the devices meet must not depend on how fast the connection is.
        self._real_time = bench.state() is None
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._left_unsafe: tuple[str, ...] | None = None
        """What closing could not do; None before the bench is closed."""
        if watch:
            threading.Thread(target=self._watch, name="lease", daemon=True).start()

    def call(self, what: str, *arguments: Any) -> Any:
        """Return the result of one of the methods below, by its name; a `RemoteError` if it raised."""
        methods: dict[str, Callable[..., Any]] = {
            "status": self.status,
            "attach": self.attach,
            "switch_on": self.switch_on,
            "beat": self.beat,
            "keep": self.keep,
            "detach": self.detach,
            "operate": self.operate,
            "acquire": self.acquire,
            "prefetch": self.prefetch,
        }
        try:
            if not isinstance(what, str) or what not in methods:
                raise DeviceStateError(f"{plain_line(what)}: may not be called from elsewhere")
            return methods[what](*arguments)
        except (DeviceError, JobStoppedError) as error:
            return RemoteError.of(error)
        except Exception as error:
            log.error("%s failed: %s", what, plain_lines(traceback.format_exc()))
            return RemoteError.of(error)

    def status(self) -> BenchStatus:
        """Return what the bench is, and who uses it. Raises DeviceStateError while it is being closed."""
        left, dmd = self._left_unsafe, self._bench.dmd is not None
        if left is not None:
            lit = any("laser" in line for line in left)
            return BenchStatus(self._text, None, not left, lit, 0.0, dmd, left, closed=True)
        if self._closed.is_set():
            raise DeviceStateError("the bench is being closed")
        rested_s, emission = self._rested_s, self._bench.laser.emission
        return BenchStatus(
            self._text,
            self._ownership.name,
            rested_s is not None and not emission,
            emission,
            0.0 if rested_s is None else self._now_s() - rested_s,
            dmd,
            tuple(self._bench.left_unsafe),
        )

    def attach(self, name: str, before: tuple[str, ...] = ()) -> GrantedLease:
        """Give the bench to whoever asks, and return the lease; nothing moves. Never waits.

        name: how the owner calls itself. before: tokens of which one was its last lease. Raises
        BenchInUseError if another one has the bench.
        """
        if self._closed.is_set():
            raise DeviceStateError("the bench is being closed")
        if self.unattended_s > LEASE_S:
            raise LeaseLostError(
                "the program that serves the bench is not heard of; the bench rests"
            )
        token = self._ownership.give(name)
        last = self._last_token
        known = [one for one in before if isinstance(one, str)] if isinstance(before, tuple) else []
        return GrantedLease(token, last is not None and any(same_token(one, last) for one in known))

    def switch_on(self, token: str) -> None:
        """Switch the owner's bench on. Raises LeaseLostError if it is not the owner's."""
        with self._owners_turn(token):
            self._last_token = token
            self._prefetched.clear()
            self._bench.display.prefetcher.forget()
            self._rested_s = None
            self._bench.switch_on()

    def beat(self, token: str) -> bool:
        """Note that the owner is there; return whether it still has the bench. Never waits."""
        return self._ownership.hear(token)

    def keep(self) -> None:
        """Note that the program that serves the bench is there. Never waits."""
        self._kept_s = self._now_s()

    @property
    def unattended_s(self) -> float:
        """Time since the last `keep`; nothing or less where none is expected."""
        return self._now_s() - self._kept_s

    def detach(self, token: str) -> list[str]:
        """Let the bench rest: laser off, SLM flat. Return what could not be done, one line each."""
        if self._ownership.is_owner(token):
            self._rest(token)
        return list(self._bench.left_unsafe)

    def operate(self, token: str, operation: str, *values: Any) -> Any:
        """Return the packed result of an operation on a device.

        Args:
            token: The owner's.
            operation: One of `device_operations`.
            values: Packed arguments of the operation.

        Raises:
            DeviceError: What the device raises, DeviceStateError for any other operation.
            LeaseLostError: If the caller does not own the bench.
        """
        self._ownership.check(token)
        if operation not in self._operations:
            raise DeviceStateError(f"{plain_line(operation)}: may not be used from elsewhere")
        if operation in WITHOUT_TURN:
            return self._operations[operation]()
        with self._owners_turn(token):
            self._check_lit()
            return pack(self._operations[operation](*unpack(values)))

    def prefetch(self, token: str, batch: SentBatch) -> None:
        """Store the batch to come, while the one before is measured. Never waits."""
        if self._ownership.is_owner(token):
            _check_batch(batch)
            self._prefetched[batch.number] = unpack(batch.inputs), unpack(batch.layers)
            for number in sorted(self._prefetched)[:-SENT_AHEAD]:
                self._prefetched.pop(number, None)

    def acquire(self, token: str, batch: SentBatch) -> AcquiredBatch:
        """Measure a batch; one that was sent ahead comes without its arrays.

        Raises what the bench raises, LeaseLostError when the owner is silent meanwhile, BatchMissingError
        if the batch that was sent ahead is not here.
        """
        self._ownership.check(token)
        _check_batch(batch)
        bench, known = self._bench, self._prefetched.pop(batch.number, None)
        if batch.inputs is not None:
            inputs, layers = unpack(batch.inputs), unpack(batch.layers)
        elif known is not None:
            inputs, layers = known
        else:
            raise BatchMissingError("the batch did not arrive here; it has to be sent again")
        with self._owners_turn(token):
            self._check_lit()
            bench.use_packing(batch.packing_step)
            bench.use_saturation(batch.found_saturation)
            bench.display.measured_settle_ms = batch.settle_ms
            bench.most_saturated = batch.most_saturated
            try:
                frames = bench.acquire_raw(
                    inputs,
                    layers,
                    lambda: not self._ownership.is_owner(token),
                    self._next_batch(batch),
                )
            except (DeviceError, JobStoppedError):
                self._ownership.check(token)  # if so, the laser was switched off during the batch
                raise
            declared_s = bench.declared_s(inputs, layers)
            taken, rejected = bench.frames_taken, bench.frames_rejected.copy()
            faults = bench.fault_log.counts.copy()
        return AcquiredBatch(pack(frames), declared_s, taken, rejected, faults)

    def _next_batch(self, batch: SentBatch) -> NextBatch:
        def next_batch() -> tuple[Arrays, Arrays] | None:
            return self._prefetched.get(batch.number + 1) if self._real_time else None

        return next_batch

    def check_owner(self) -> None:
        """Switch the laser off at once, then let the bench rest, if the owner was silent for too long.

        So it does if the program that serves the bench was. A bench at rest that could not be made safe is
        made safe again and again.
        """
        unattended = self.unattended_s > LEASE_S
        token = self._ownership.token if unattended else self._ownership.silent_token()
        if token is None:
            if self._ownership.name is None:
                self._try_again()
            return
        if self._ownership.is_owner(token):
            who = "the program that serves the bench" if unattended else self._ownership.name
            log.warning("nothing heard of %s for %.1f s: at rest", who, LEASE_S)
        self._rest(token)

    def close(self) -> list[str]:
        """Enter the safe state and close the devices; return what could not be done, one line each.

        Idempotent: a bench that is closed already returns what was left then.
        """
        self._closed.set()
        self._ownership.end_all()
        if self._left_unsafe is None:
            self._send_off()
        with self._turn:
            if self._left_unsafe is None:
                self._bench.close()
                self._ownership.release()
                self._left_unsafe = tuple(self._bench.left_unsafe)
            return list(self._left_unsafe)

    def _rest(self, token: str) -> None:
        """End the lease of a token: OFF at once, waiting for no call; SLM flat when the frame has ended."""
        if not self._ownership.end(token):
            return
        self._send_off()
        with self._turn:
            if not self._ownership.end(token) or self._closed.is_set():
                return  # another thread was faster
            self._make_safe()
            self._rested_s = self._now_s()
            self._ownership.release()

    def _make_safe(self) -> None:
        self._bench.make_safe()
        self._made_safe_s = self._now_s()

    def _try_again(self) -> None:
        """Make a bench safe that nobody has and that could not be made safe before, now and then."""
        if not self._bench.left_unsafe or self._now_s() - self._made_safe_s < AGAIN_S:
            return
        with self._turn:
            if self._ownership.name is None and not self._closed.is_set():
                self._make_safe()
                if not self._bench.left_unsafe:
                    log.warning("the bench is safe now")

    def _send_off(self) -> None:
        with suppress(Exception):  # `make_safe` tries it again, and reports what fails
            self._bench.send_off()

    @contextmanager
    def _owners_turn(self, token: str) -> Iterator[None]:
        """Wait until the owner's call before this one has ended. Raises LeaseLostError for anyone else."""
        self._ownership.check(token)
        with self._turn:
            self._ownership.check(token)
            yield

    def _check_lit(self) -> None:
        if self._rested_s is not None:
            raise DeviceStateError("the bench is at rest: it is to be switched on first")

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_S):
            try:
                self.check_owner()
            except Exception:
                log.exception("the bench could not be brought to rest; it is tried again")


def _check_batch(batch: object) -> None:
    if not isinstance(batch, SentBatch):
        raise DeviceValueError(f"{plain_line(batch, 40)}: a batch was expected")
