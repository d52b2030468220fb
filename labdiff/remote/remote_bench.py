"""The other side: a bench whose devices are elsewhere, for all who use a `Bench`.

A calibration asks its devices one by one. A batch goes there whole and comes back as frames; what becomes
of them is computed here.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceDisconnectedError, DeviceStateError
from drivers.protocols import ReadOut
from drivers.types import Frame
from labdiff.bench.acquisition import CutShort
from labdiff.bench.bench import Bench, Following
from labdiff.bench.open import patch_layout
from labdiff.config.bench import BenchConfig
from labdiff.remote.messages import (
    METHODS,
    About,
    Batch,
    Kind,
    LeaseLostError,
    LineCutError,
    Raised,
)
from labdiff.remote.serialisation import Traffic, pack, unpack

log = logging.getLogger(__name__)

BEAT_S = 0.2
PATIENCE_S = 60.0
"""How long a batch waits for a line that is cut."""
AGAIN_S = 0.5


Meanwhile: TypeAlias = Callable[[], object]


class Line(Protocol):
    """The way to a served bench."""

    def call(self, what: str, *arguments: Any, meanwhile: Meanwhile = lambda: None) -> Any:
        """`ServedBench.call`. meanwhile: done again and again. Raises LineCutError if no answer comes."""
        ...

    def tell(self, what: str, *arguments: Any) -> None:
        """The same without an answer; waits for nothing."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class RemoteBench(Bench):
    """A bench at the end of a line. A real one, whatever it is there: it cannot be put back in time.

    about: what it said of itself. up, down: what has crossed the wire so far.
    """

    def __init__(
        self,
        config: BenchConfig,
        about: About,
        line: Line,
        patience_s: float = PATIENCE_S,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        self._line, self._patience_s, self._sleep_s = line, patience_s, sleep_s
        self._owner = uuid.uuid4().hex
        self._words = f"process {os.getpid()} of {platform.node()}"
        self._declared_s, self._number = 0.0, 0
        self._hinted: tuple[Any, Batch] | None = None
        self._ended = threading.Event()
        self.up, self.down = Traffic(), Traffic()
        self._attached = False
        threading.Thread(target=self._beats, name="beats", daemon=True).start()
        devices: dict[Kind, Any] = {
            kind: (_Camera if kind == "camera" else _Device)(kind, self._ask, about.plays)
            for kind in METHODS
        }
        try:
            self._attach()
            super().__init__(
                patch_layout(config),
                devices["slm"],
                devices["camera"],
                devices["laser"],
                devices["clock"],
                devices["dmd"] if about.dmd else None,
            )
        except BaseException:
            self._ended.set()
            raise

    def proven(
        self,
        inputs: npt.NDArray[np.floating],
        phases_rad: npt.NDArray[np.floating],
        cut_short: CutShort,
        following: Following,
    ) -> list[Frame]:
        """A batch's frames, measured there; again from its start if the line was cut meanwhile.

        The batch to come is sent while this one is measured. Raises DeviceDisconnectedError if the line
        stays cut, and as `Bench.take`.
        """
        whole, hinted = self._batch(inputs, phases_rad)
        batch = replace(whole, inputs=None, layers=None) if hinted else whole
        hints = [following]

        def send_ahead() -> None:
            if hints and (coming := hints[0]()) is not None:
                hints.clear()
                self._hint(*coming)

        while True:
            try:
                taken = self._call("take", self._owner, batch, meanwhile=send_ahead)
                break
            except (LineCutError, LeaseLostError) as error:
                log.warning("%s", error)
                self._attached, batch = False, whole
                self._come_back(error, cut_short)
        self.down.count(taken.frames)
        self._declared_s = taken.declared_s
        self.proof.taken, self.proof.flaws = taken.frames_taken, taken.flaws
        self.troubles.counts = taken.troubles
        frames: list[Frame] = unpack(taken.frames)
        return frames

    def _batch(
        self, inputs: npt.NDArray[np.floating], phases_rad: npt.NDArray[np.floating]
    ) -> tuple[Batch, bool]:
        """A batch as it travels, and whether it is there already."""
        if self._hinted is not None:
            (held, batch), self._hinted = self._hinted, None
            if held is inputs:
                return batch, True
        self._number += 1
        batch = Batch(
            self._number,
            pack(np.asarray(inputs)),
            pack(np.asarray(phases_rad)),
            self._settle_ms,
            self.packing_step,
            self.most_saturated,
        )
        self.up.count([batch.inputs, batch.layers])
        return batch, False

    def _hint(self, inputs: npt.NDArray[np.floating], phases_rad: npt.NDArray[np.floating]) -> None:
        batch, _ = self._batch(inputs, phases_rad)
        self._hinted = inputs, batch
        self._line.tell("hint", self._owner, batch)

    def declared_s(
        self, inputs: npt.NDArray[np.floating], phases_rad: npt.NDArray[np.floating]
    ) -> float:
        """As the bench said with the last batch; asked anew it would wait for the next one's end."""
        return self._declared_s

    def wake(self) -> None:
        """Have the bench; the laser goes on there."""
        if not self._attached:
            self._attach()

    def rest(self) -> None:
        """Let it go: it is then at rest. If the line is cut it comes to rest by itself."""
        self._attached = False
        try:
            self.left_unsafe[:] = self._call("detach", self._owner)
        except LineCutError as error:
            log.warning("%s; it comes to rest by itself", error)

    def close(self) -> None:
        """The same, and hang up."""
        self._ended.set()
        try:
            self.rest()
        finally:
            self._line.close()

    def _attach(self) -> None:
        self._call("attach", self._owner, self._words)
        self._attached = True

    def _come_back(self, why: Exception, cut_short: CutShort) -> None:
        until_s = time.monotonic() + self._patience_s
        while not cut_short():
            try:
                self._attach()
            except (LineCutError, LeaseLostError):
                if time.monotonic() > until_s:
                    break
                self._sleep_s(AGAIN_S)
            else:
                log.warning("the bench is there again: the batch is measured from its start")
                return
        raise DeviceDisconnectedError(
            f"remote bench: {why}; not there for {self._patience_s:g} s. It has come to rest by itself"
        )

    def _ask(self, kind: Kind, way: str, name: str, *values: Any) -> Any:
        """Of one device. After a cut it is at rest and another than before: nothing is asked again."""
        packed = pack(values)
        self.up.count(packed)
        try:
            answer = self._call("ask", self._owner, kind, way, name, *packed)
        except (LineCutError, LeaseLostError) as error:
            self._attached = False
            raise DeviceDisconnectedError(f"remote {kind}: {error}") from error
        self.down.count(answer)
        return unpack(answer)

    def _call(self, what: str, *arguments: Any, meanwhile: Meanwhile = lambda: None) -> Any:
        answer = self._line.call(what, *arguments, meanwhile=meanwhile)
        if isinstance(answer, Raised):
            raise answer.error()
        return answer

    def _beats(self) -> None:
        while not self._ended.wait(BEAT_S):
            self._line.tell("beat", self._owner)


class _Device:
    """Values and calls of one device there."""

    def __init__(self, kind: Kind, ask: Callable[..., Any], plays: bool) -> None:
        methods = METHODS[kind] - (set() if plays else {"show_sequence"})
        self.__dict__.update(_kind=kind, _ask=ask, _methods=methods, _plays=plays)

    def __getattr__(self, name: str) -> Any:
        if name in self._methods:
            return lambda *values: self._ask(self._kind, "call", name, *values)
        if name.startswith("_") or name in METHODS[self._kind]:
            raise AttributeError(name)
        return self._ask(self._kind, "get", name)

    def __setattr__(self, name: str, value: object) -> None:
        self._ask(self._kind, "set", name, value)

    def close(self) -> None:
        """It is the laboratory's, and stays open."""


class _Camera(_Device):
    """A camera there: exposure and read-out are one call."""

    def expose(self) -> ReadOut:
        """Expose once."""
        frame: Frame = self.get_frame()
        return lambda: frame

    def triggered(self, count: int) -> Any:
        """By batch alone."""
        raise DeviceStateError("remote camera: is triggered by `Bench.take` alone")
