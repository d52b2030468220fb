"""A thread that measures, so that the bench need not wait for the computer, nor the computer for it.

While batch k + 1 is on the bench, the computer works with what was measured of batch k:

    pending = thread.submit(inputs, layers)
    ...
    measurement = pending.result()

Batches are measured one after the other in the order in which they were submitted, so on a virtual
clock what the devices meet depends on the batches alone and never on how fast the computer is.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from drivers.errors import DeviceStateError, DeviceTimeoutError
from drivers.types import Frame
from labdiff.bench.batch import Arrays
from labdiff.bench.bench import Bench
from labdiff.bench.measurement import Measurement
from labdiff.bench.snapshot import BenchSnapshot
from labdiff.errors import JobStoppedError

log = logging.getLogger(__name__)

T = TypeVar("T")
PATIENCE_S = 3.0
"""How long `close` lets batches finish; and then, how long a frame may take to end."""
WAIT_S = 0.2
"""Time of one wait for a batch: Windows handles Ctrl-C only between two waits."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How well a batch used the bench, on the bench's clock.

    frames: that were used; repeated: measured again. elapsed_s: from the end of the batch before (or
    the start of this one, if it is the first) to the end of this one; measuring_s: the part in which the
    bench measured. declared_s: what so many frames take by the declared timing of the devices.
    ended_s: the bench's clock when the batch ended.
    """

    frames: int
    repeated: int
    elapsed_s: float
    measuring_s: float
    declared_s: float
    ended_s: float

    @property
    def frames_per_s(self) -> float:
        """Frames that were used, in a second."""
        return self.frames / self.elapsed_s if self.elapsed_s > 0.0 else float("inf")

    @property
    def duty(self) -> float:
        """Frames that were used, over those that the declared timing allows in the time elapsed."""
        return self.declared_s / self.elapsed_s if self.elapsed_s > 0.0 else 1.0


class PendingBatch:
    """A batch that was submitted."""

    def __init__(self, thread: AcquisitionThread, inputs: Arrays, layers: Arrays) -> None:
        self._thread = thread
        self.inputs, self.layers = inputs, layers
        self.done: Future[tuple[list[Frame], Pace]] = Future()
        self.begun: Future[BenchSnapshot | None] = Future()

    def result(self) -> Measurement:
        """Wait for the batch. Raises as `Bench.measure`, JobStoppedError if it was cut short."""
        return self._thread.bench.to_intensity(self._waited(self.done)[0])

    @property
    def pace(self) -> Pace:
        """How well the batch used the bench; waits for the batch."""
        return self._waited(self.done)[1]

    @property
    def before(self) -> BenchSnapshot | None:
        """The bench's state as the batch began, None if it has none; waits until then."""
        return self._waited(self.begun)

    def fail(self, error: BaseException) -> None:
        """Raise an error to whoever waits for the batch."""
        if not self.begun.done():
            self.begun.set_exception(error)
        self.done.set_exception(error)

    def _waited(self, what: Future[T]) -> T:
        while not wait([what], WAIT_S).done:
            if self._thread.abandoned:
                raise DeviceTimeoutError("bench: did not come to an end; see the log")
        return what.result()


class AcquisitionThread:
    """Lends a bench to a thread until `close`; meanwhile nobody else may use its devices.

    After an error every later batch raises that error and nothing more is measured, however many were
    submitted before it was known: recover the bench, then start a new thread. The bench stays the
    caller's; a context manager.
    """

    def __init__(self, bench: Bench, patience_s: float = PATIENCE_S) -> None:
        self.bench = bench
        self.abandoned = False
        self._patience_s = patience_s
        self._batches: queue.SimpleQueue[PendingBatch | None] = queue.SimpleQueue()
        self._coming: list[PendingBatch | None] = []  # taken out of the queue, not yet begun
        self.hurry = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="acquisition", daemon=True)
        self._thread.start()

    def __enter__(self) -> AcquisitionThread:
        """Return the thread, which runs already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the thread."""
        self.close()

    def submit(self, inputs: Arrays, layers: Arrays) -> PendingBatch:
        """Measure a batch, as `Bench.measure`, after those submitted before; return at once.

        The arrays are copied: they may be changed meanwhile. Raises DeviceStateError once closed.
        """
        if self._closed:
            raise DeviceStateError("acquisition thread: is closed")
        pending = PendingBatch(self, inputs.copy(), layers.copy())
        self._batches.put(pending)
        return pending

    def close(self) -> None:
        """Let what was submitted finish, for `patience_s`; then cut it short at its next frame.

        Returns within twice that time, also if a device hangs. Idempotent.
        """
        if self._closed:
            return
        self._closed = True
        self._batches.put(None)
        self._thread.join(self._patience_s)
        if self._thread.is_alive():
            self.hurry.set()
            self._thread.join(self._patience_s)
        if self._thread.is_alive():
            self.abandoned = True
            log.error("bench: a device does not come back; it is left to itself")

    def _run(self) -> None:
        """Measure batches until there are no more."""
        self.bench.display.prefetcher.forget()
        failed: BaseException | None = None
        ended_s: float | None = None
        while (batch := self._next()) is not None:
            if self.hurry.is_set():
                failed = failed or JobStoppedError("the measurement was cut short")
            if failed is not None:
                batch.fail(failed)
                continue
            try:
                frames, pace = self._measure(batch, ended_s)
            except BaseException as error:  # whatever it is, it is the caller's
                failed = error
                batch.fail(error)
                continue
            ended_s = pace.ended_s
            batch.done.set_result((frames, pace))

    def _measure(self, batch: PendingBatch, last_ended_s: float | None) -> tuple[list[Frame], Pace]:
        """Measure one batch. last_ended_s: when the one before it ended; None for the first."""
        bench, clock = self.bench, self.bench.clock
        # Here and not where it was submitted: the batch before may still have been measured then.
        state = bench.state()
        batch.begun.set_result(state)
        # Whether a batch is known early depends on the computer; a bench that can be set back must not.
        next_batch = self._next_batch if state is None else _unknown
        started_s, repeated = clock.now_s(), bench.frames_repeated
        frames = bench.acquire(batch.inputs, batch.layers, self.hurry.is_set, next_batch)
        now_s = clock.now_s()
        pace = Pace(
            frames=len(frames),
            repeated=bench.frames_repeated - repeated,
            elapsed_s=now_s - (started_s if last_ended_s is None else last_ended_s),
            measuring_s=now_s - started_s,
            declared_s=bench.declared_s(batch.inputs, batch.layers),
            ended_s=now_s,
        )
        return frames, pace

    def _next(self) -> PendingBatch | None:
        """Wait for a batch; None at the end."""
        return self._coming.pop() if self._coming else self._batches.get()

    def _next_batch(self) -> tuple[Arrays, Arrays] | None:
        """Return the batch after this one, if it was submitted already."""
        if not self._coming:
            try:
                self._coming.append(self._batches.get_nowait())
            except queue.Empty:
                return None
        batch = self._coming[0]
        return None if batch is None else (batch.inputs, batch.layers)


def _unknown() -> None:
    """Return that no batch is known."""
