"""The laboratory's side: a bench that has one owner at a time, and that rests when the owner falls silent.

No Ray is in it: `labdiff.remote.serve` gives it its place.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from drivers.errors import DeviceError, DeviceStateError
from labdiff.bench.bench import Bench, Following
from labdiff.errors import JobStoppedError
from labdiff.remote.messages import METHODS, About, Batch, Kind, LeaseLostError, Raised, Taken
from labdiff.remote.serialisation import pack, unpack

log = logging.getLogger(__name__)

LEASE_S = 1.5
"""Silence after which the laser goes off; with a frame's end and the SLM it is dark within 2 s."""
LOOK_S = 0.1


class ServedBench:
    """Answers `call`; a thread looks after the owner. Every call but `about` and `beat` waits its turn.

    bench_text: of its bench file. now_s: of the time in which silence is counted, real whatever the
    bench's own clock is. watch: begin the thread; else `look` is to be called.
    """

    def __init__(
        self,
        bench: Bench,
        bench_text: str,
        now_s: Callable[[], float] = time.monotonic,
        watch: bool = True,
    ) -> None:
        self._bench, self._text, self._now_s = bench, bench_text, now_s
        self._camera = bench.camera
        self._owner = self._owner_words = ""
        self._heard_s = now_s()
        self._rested_s: float | None = now_s()
        self._coming: tuple[int, Any, Any] | None = None
        # On a virtual clock what the devices meet must not depend on how fast the wire is.
        self._real_time = bench.state() is None
        self._turn = threading.Lock()
        self._silent = threading.Event()
        self._closed = threading.Event()
        if watch:
            threading.Thread(target=self._watch, name="lease", daemon=True).start()

    def call(self, what: str, *arguments: Any) -> Any:
        """One of the acts below, by name; a `Raised` if it raised something."""
        acts: dict[str, Callable[..., Any]] = {
            "about": self.about,
            "attach": self.attach,
            "beat": self.beat,
            "detach": self.detach,
            "ask": self.ask,
            "take": self.take,
            "hint": self.hint,
        }
        try:
            return acts[what](*arguments)
        except (DeviceError, JobStoppedError) as error:
            return Raised.of(error)
        except Exception as error:
            log.exception("a call failed")
            return Raised.of(error)

    def about(self) -> About:
        """What it is, and who has it."""
        rested_s, dmd = self._rested_s, self._bench.dmd
        return About(
            self._text,
            self._owner_words,
            rested_s is not None,
            self._bench.laser.emission,
            0.0 if rested_s is None else self._now_s() - rested_s,
            dmd is not None,
            hasattr(dmd, "show_sequence"),
        )

    def attach(self, owner: str, words: str) -> About:
        """Have the bench from now on; laser on. Raises DeviceStateError if another has it."""
        with self._turn:
            if self._owner not in ("", owner):
                raise DeviceStateError(
                    f"the bench is in use by {self._owner_words}; a bench has one owner. It is free when "
                    f"that run ends, or {LEASE_S:g} s after it falls silent"
                )
            self._heard_s = self._now_s()
            self._owner, self._owner_words = owner, words
            self._silent.clear()
            self._rested_s = self._coming = None
            self._bench.panels.forget()
            self._bench.wake()
            self._heard_s = self._now_s()
        return self.about()

    def beat(self, owner: str) -> bool:
        """The owner is there; True if it still has the bench. Never waits."""
        if owner != self._owner or self._silent.is_set():
            return False
        self._heard_s = self._now_s()
        return True

    def detach(self, owner: str) -> list[str]:
        """Let it go: laser off, SLM flat. What could not be done, in words."""
        with self._turn:
            if owner == self._owner:
                self._rest()
            return list(self._bench.left_unsafe)

    def ask(self, owner: str, kind: Kind, way: str, name: str, *values: Any) -> Any:
        """Get or set a value of a device, or call it. Raises what the device raises, LeaseLostError."""
        with self._turn:
            self._check(owner)
            device = self._camera if kind == "camera" else getattr(self._bench, kind)
            if name.startswith("_") or (way == "call" and name not in METHODS[kind]):
                raise DeviceStateError(f"{kind}.{name}: may not be used from elsewhere")
            if way == "call":
                return pack(getattr(device, name)(*unpack(values)))
            if way == "set":
                return setattr(device, name, *unpack(values))
            return pack(getattr(device, name))

    def hint(self, owner: str, batch: Batch) -> None:
        """The batch to come, while the one before is measured: never waits."""
        if owner == self._owner:
            self._coming = batch.number, unpack(batch.inputs), unpack(batch.layers)

    def take(self, owner: str, batch: Batch) -> Taken:
        """Measure a batch; one that was hinted at comes without its arrays.

        Raises what the bench raises, LeaseLostError when the owner is silent meanwhile.
        """
        bench, known = self._bench, self._coming
        if batch.inputs is not None:
            inputs, layers = unpack(batch.inputs), unpack(batch.layers)
        elif known is not None and known[0] == batch.number:
            inputs, layers = known[1:]
        else:
            raise LeaseLostError("the batch did not arrive here; it has to be sent again")
        with self._turn:
            self._check(owner)
            bench.camera = self._camera
            bench.use_packing(batch.packing_step)
            bench.settle_ms, bench.most_saturated = batch.settle_ms, batch.most_saturated
            try:
                frames = bench.proven(inputs, layers, self._silent.is_set, self._following(batch))
            except (DeviceError, JobStoppedError):
                self._check(owner)  # the laser was switched off under it, if so
                raise
            declared_s = bench.declared_s(inputs, layers)
            counts = bench.frames_taken, bench.flaws.copy(), bench.troubles.counts.copy()
        return Taken(pack(frames), declared_s, *counts)

    def _following(self, batch: Batch) -> Following:
        def following() -> tuple[Any, Any] | None:
            coming = self._coming
            if not self._real_time or coming is None or coming[0] == batch.number:
                return None
            return coming[1], coming[2]

        return following

    def look(self) -> None:
        """Is the owner there? If it was silent for too long: laser off at once, then all at rest."""
        if not self._owner or self._now_s() - self._heard_s <= LEASE_S:
            return
        log.warning("nothing heard of %s for %.1f s: at rest", self._owner_words, LEASE_S)
        self._silent.set()
        try:
            self._bench.laser.emission = False
        except DeviceError as error:
            log.error("could not switch the laser off: %s", error)
        with self._turn:
            if self._silent.is_set():
                self._rest()

    def close(self) -> None:
        """Everything safe and closed."""
        self._closed.set()
        self._silent.set()
        with self._turn:
            self._owner = self._owner_words = ""
            self._bench.close()

    def _rest(self) -> None:
        self._bench.rest()
        self._owner = self._owner_words = ""
        self._rested_s = self._now_s()

    def _check(self, owner: str) -> None:
        if owner != self._owner or self._silent.is_set():
            raise LeaseLostError(
                "the bench had not heard of this run for a while and is at rest; it has to be taken again"
            )

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_S):
            self.look()
