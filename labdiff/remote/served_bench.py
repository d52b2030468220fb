"""The laboratory's side: a bench that has one owner at a time, and that rests when the owner falls silent.

It knows nothing of Ray: `labdiff.remote.ray_connection` makes an actor of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from drivers.errors import DeviceError, DeviceStateError
from labdiff.bench.batch import Arrays, NextBatch
from labdiff.bench.bench import Bench
from labdiff.errors import JobStoppedError
from labdiff.remote.device_operations import device_operations
from labdiff.remote.messages import (
    AcquiredBatch,
    BenchStatus,
    LeaseLostError,
    RemoteError,
    SentBatch,
)
from labdiff.remote.serialisation import pack, unpack

log = logging.getLogger(__name__)

LEASE_S = 1.5
"""Silence after which the laser goes off; with a frame's end and the SLM it is dark within 2 s."""
CHECK_S = 0.1
"""Time between two checks of the owner."""


class ServedBench:
    """Answers `call`; a thread watches the owner. All calls but `status` and `beat` are made in turn.

    bench_text: of its bench file. now_s: returns the time by which silence is counted, real whatever the
    bench's own clock is. watch: start the thread; else `check_owner` is to be called.
    """

    def __init__(
        self,
        bench: Bench,
        bench_text: str,
        now_s: Callable[[], float] = time.monotonic,
        watch: bool = True,
    ) -> None:
        self._bench, self._text, self._now_s = bench, bench_text, now_s
        self._operations = device_operations(bench.unpacked_devices)
        self._owner = self._description = ""
        self._heard_s = now_s()
        self._rested_s: float | None = now_s()
        self._prefetched: tuple[int, Arrays, Arrays] | None = None
        # On a virtual clock what the devices meet must not depend on how fast the connection is.
        self._real_time = bench.state() is None
        self._turn = threading.Lock()
        self._silent = threading.Event()
        self._closed = threading.Event()
        if watch:
            threading.Thread(target=self._watch, name="lease", daemon=True).start()

    def call(self, what: str, *arguments: Any) -> Any:
        """Return the result of one of the methods below, by its name; a `RemoteError` if it raised."""
        methods: dict[str, Callable[..., Any]] = {
            "status": self.status,
            "attach": self.attach,
            "beat": self.beat,
            "detach": self.detach,
            "operate": self.operate,
            "acquire": self.acquire,
            "prefetch": self.prefetch,
        }
        try:
            return methods[what](*arguments)
        except (DeviceError, JobStoppedError) as error:
            return RemoteError.of(error)
        except Exception as error:
            log.exception("a call failed")
            return RemoteError.of(error)

    def status(self) -> BenchStatus:
        """Return what the bench is, and who uses it."""
        rested_s = self._rested_s
        return BenchStatus(
            self._text,
            self._description,
            rested_s is not None,
            self._bench.laser.emission,
            0.0 if rested_s is None else self._now_s() - rested_s,
            self._bench.dmd is not None,
        )

    def attach(self, owner: str, description: str) -> BenchStatus:
        """Give the bench to an owner; laser on. Raises DeviceStateError if another one has it."""
        with self._turn:
            if self._owner not in ("", owner):
                raise DeviceStateError(
                    f"the bench is in use by {self._description}; a bench has one owner. It is free when "
                    f"that run ends, or {LEASE_S:g} s after it falls silent"
                )
            self._heard_s = self._now_s()
            self._owner, self._description = owner, description
            self._silent.clear()
            self._rested_s = self._prefetched = None
            self._bench.display.prefetcher.forget()
            self._bench.switch_on()
            self._heard_s = self._now_s()
        return self.status()

    def beat(self, owner: str) -> bool:
        """Note that the owner is there; return whether it still has the bench. Never waits."""
        if owner != self._owner or self._silent.is_set():
            return False
        self._heard_s = self._now_s()
        return True

    def detach(self, owner: str) -> list[str]:
        """Let the bench rest: laser off, SLM flat. Return what could not be done, one line each."""
        with self._turn:
            if owner == self._owner:
                self._rest()
            return list(self._bench.left_unsafe)

    def operate(self, owner: str, operation: str, *values: Any) -> Any:
        """Return the packed result of an operation on a device.

        Args:
            owner: Of the bench.
            operation: One of `device_operations`.
            values: Packed arguments of the operation.

        Raises:
            DeviceError: What the device raises, DeviceStateError for any other operation.
            LeaseLostError: If the caller does not own the bench.
        """
        with self._turn:
            self._check(owner)
            if operation not in self._operations:
                raise DeviceStateError(f"{operation}: may not be used from elsewhere")
            return pack(self._operations[operation](*unpack(values)))

    def prefetch(self, owner: str, batch: SentBatch) -> None:
        """Store the batch to come, while the one before is measured. Never waits."""
        if owner == self._owner:
            self._prefetched = batch.number, unpack(batch.inputs), unpack(batch.layers)

    def acquire(self, owner: str, batch: SentBatch) -> AcquiredBatch:
        """Measure a batch; one that was sent ahead comes without its arrays.

        Raises what the bench raises, LeaseLostError when the owner is silent meanwhile.
        """
        bench, known = self._bench, self._prefetched
        if batch.inputs is not None:
            inputs, layers = unpack(batch.inputs), unpack(batch.layers)
        elif known is not None and known[0] == batch.number:
            inputs, layers = known[1:]
        else:
            raise LeaseLostError("the batch did not arrive here; it has to be sent again")
        with self._turn:
            self._check(owner)
            bench.use_packing(batch.packing_step)
            bench.display.measured_settle_ms = batch.settle_ms
            bench.most_saturated = batch.most_saturated
            try:
                frames = bench.acquire_raw(
                    inputs, layers, self._silent.is_set, self._next_batch(batch)
                )
            except (DeviceError, JobStoppedError):
                self._check(owner)  # if so, the laser was switched off during the batch
                raise
            declared_s = bench.declared_s(inputs, layers)
            taken, rejected = bench.frames_taken, bench.frames_rejected.copy()
            faults = bench.fault_log.counts.copy()
        return AcquiredBatch(pack(frames), declared_s, taken, rejected, faults)

    def _next_batch(self, batch: SentBatch) -> NextBatch:
        def next_batch() -> tuple[Arrays, Arrays] | None:
            coming = self._prefetched
            if not self._real_time or coming is None or coming[0] == batch.number:
                return None
            return coming[1], coming[2]

        return next_batch

    def check_owner(self) -> None:
        """Switch the laser off at once, then let the bench rest, if the owner was silent for too long."""
        if not self._owner or self._now_s() - self._heard_s <= LEASE_S:
            return
        log.warning("nothing heard of %s for %.1f s: at rest", self._description, LEASE_S)
        self._silent.set()
        try:
            self._bench.laser.emission = False
        except DeviceError as error:
            log.error("could not switch the laser off: %s", error)
        with self._turn:
            if self._silent.is_set():
                self._rest()

    def close(self) -> None:
        """Enter the safe state and close the devices."""
        self._closed.set()
        self._silent.set()
        with self._turn:
            self._owner = self._description = ""
            self._bench.close()

    def _rest(self) -> None:
        self._bench.make_safe()
        self._owner = self._description = ""
        self._rested_s = self._now_s()

    def _check(self, owner: str) -> None:
        if owner != self._owner or self._silent.is_set():
            raise LeaseLostError(
                "the bench had not heard of this run for a while and rests; it has to be attached again"
            )

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_S):
            self.check_owner()
