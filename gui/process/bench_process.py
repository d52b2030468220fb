"""The engine in a process of its own: spawned, at low priority, one core left to the window."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.step import CalibrationStep
from drivers.operator import set_operator
from drivers.types import Frame
from gui.process.command_listener import FROZEN_S, CommandListener
from gui.process.frame_ring import FrameRing
from gui.process.hand_requests import HandRequests
from gui.process.picture_ring import PictureNote, PictureRing
from gui.process.priority import lower_priority
from labdiff.engine.commands import Command, Quit, SafeState
from labdiff.engine.status import EngineEvent, ErrorReport, LayerSets, PatternDisplayed
from labdiff.events import (
    AlignmentStep,
    Checkpoint,
    GenerationStep,
    HologramDisplayed,
    HologramStep,
    TrainingStep,
)
from labdiff.jobs.signal_listener import SUSPEND, SignalListener, stopping_signals

ENGINE = "labdiff.engine.engine:Engine"
ALIVE_EVERY_S = 0.5
"""Time between two signs of life of the window."""
PATIENCE_S = 20.0
"""Time in which a calibration's fit ends and the time-outs of laser and camera pass; then the process is
ended.
"""


@dataclass(frozen=True, slots=True)
class Report:
    """An event of the engine without its arrays, and where these lie in the ring of pictures."""

    event: EngineEvent
    pictures: PictureNote | None = None


class BenchProcess:
    """The bench's process as the window has it.

    Args:
        sensor_shape: (height, width) of the camera's largest frame.
        engine: Names the class that is served in the process.
    """

    def __init__(self, sensor_shape: tuple[int, int], engine: str = ENGINE) -> None:
        context = multiprocessing.get_context("spawn")
        self._pictures = PictureRing()
        self.frames = FrameRing.create(sensor_shape)
        self._reports, send = context.Pipe(duplex=False)
        take, self._commands = context.Pipe(duplex=False)
        off, self._off = context.Pipe(duplex=False)
        names = self._pictures.name, self.frames.name
        self._process = context.Process(
            target=serve, args=(engine, names, take, send, off), name="bench", daemon=True
        )
        self._process.start()
        for theirs in (send, take, off):
            theirs.close()
        self._over = False
        self._pressed = 0
        self._asking, self._alive_s = threading.Lock(), 0.0

    def ask(self, command: Command) -> bool:
        """Send a command, from any thread; return False if the process has ended."""
        return self._send(command)

    def _send(self, message: Command | None) -> bool:
        """Send a command, or None as a sign of life."""
        try:
            with self._asking:
                self._commands.send(message)
        except (BrokenPipeError, OSError):
            return False
        return True

    def make_safe(self) -> bool:
        """Switch the laser off at once, past all commands; return False if the process has ended."""
        self._pressed += 1
        with contextlib.suppress(OSError):
            self._off.send_bytes(str(self._pressed).encode())
        return self.ask(SafeState(self._pressed))

    def quit(self) -> None:
        """Let the process leave the bench safe and end; `alive` says when it has."""
        self.ask(Quit())

    def poll(self, most: int = 200) -> list[Report]:
        """Return what was reported since the last call, `most` reports at most.

        The process takes it as a sign of life: if it is not called for long any more, the window is frozen.
        """
        if time.monotonic() - self._alive_s > ALIVE_EVERY_S:
            self._alive_s = time.monotonic()
            self._send(None)
        found: list[Report] = []
        while len(found) < most and not self._over:
            try:
                if not self._reports.poll():
                    break
                found.append(self._reports.recv())
            except (EOFError, OSError):
                self._over = True
        return found

    def pictures_of(self, report: Report) -> dict[str, npt.NDArray[np.float32]]:
        """Return copies of a report's pictures by name; none if it has none, or they were overwritten."""
        if report.pictures is None:
            return {}
        return self._pictures.get(report.pictures) or {}

    @property
    def alive(self) -> bool:
        """False once the process has ended and all its reports were read."""
        return not self._over or self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Exit code of the process; None while it runs."""
        return self._process.exitcode

    @property
    def pid(self) -> int | None:
        """Number of the process; None before it runs."""
        return self._process.pid

    def close(self, patience_s: float = PATIENCE_S) -> None:
        """Let the process leave the bench safe and end, kill it if it does not, and free the memory."""
        self.ask(Quit())
        self._process.join(patience_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        for ours in (self._reports, self._commands, self._off):
            ours.close()
        self._pictures.close()
        self.frames.close()


def serve(
    engine: str, names: tuple[str, str], take: Connection, send: Connection, off: Connection
) -> None:
    """Make the engine and serve it, in the process; nothing heavy was imported before.

    Args:
        engine: Module and name of the engine's class.
        names: Names of the memory of pictures and of frames.
        take: Where commands come in.
        send: Where reports go out.
        off: Where orders to switch the laser off come in, which wait for no command.
    """
    commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    engines: list[Any] = []

    def laser_off() -> None:
        for each in engines:
            each.laser_off()

    def frozen() -> None:
        report(ErrorReport(f"the window stood still for {FROZEN_S:g} s: the bench was made safe"))

    # Before the priority is lowered, which on Linux is a thread's own: OFF waits for no busy machine.
    hands = HandRequests(lambda request: report(request))
    set_operator(hands)
    CommandListener(commands, laser_off, frozen, hands).start(take, off)
    lower_priority()
    pictures, frames = PictureRing(names[0]), FrameRing.attach(names[1])
    sending = threading.Lock()

    def report(event: EngineEvent) -> None:
        if isinstance(event, Checkpoint):
            return
        with sending:
            try:
                send.send(_without_arrays(event, pictures))
            except (BrokenPipeError, OSError):
                commands.put(None)  # the window is gone: end in good order rather than work unseen

    def show(frame: Frame) -> None:
        frames.put(frame)

    try:
        module, _, name = engine.partition(":")
        served: Any = getattr(import_module(module), name)(report, show)
        engines.append(served)
        _handle_signals(commands, laser_off)

        def next_command(timeout_s: float) -> Command | None:
            try:
                command = (
                    commands.get(timeout=timeout_s) if timeout_s > 0.0 else commands.get_nowait()
                )
            except queue.Empty:
                return None
            if command is None:
                raise EOFError
            return command

        served.serve(next_command)
    except Exception as error:
        report(ErrorReport(f"{type(error).__name__}: {error}"))
        raise
    finally:
        pictures.close()
        frames.close()
        send.close()


def _handle_signals(
    commands: queue.SimpleQueue[Command | None], laser_off: Callable[[], None]
) -> None:
    """Switch the laser off at once with any signal that ends or suspends the process; then end in order."""
    numbers = stopping_signals()
    listener = SignalListener(laser_off, numbers)

    def on_signal(number: int, frame: FrameType | None) -> None:
        if number == SUSPEND:
            listener.suspend()
        else:
            commands.put(None)

    for number in numbers:
        signal.signal(number, on_signal)


def _without_arrays(event: EngineEvent, ring: PictureRing) -> Report:
    match event:
        case TrainingStep(pictures=pictures) if pictures is not None:
            parts = {
                "input": pictures.input_field,
                "camera": pictures.camera,
                "predicted": pictures.predicted_noise,
                "true": pictures.true_noise,
            }
            return Report(replace(event, pictures=None), ring.put(parts))
        case CalibrationStep(picture=picture) | AlignmentStep(picture=picture):
            note = None if picture is None else ring.put({"camera": picture})
            return Report(replace(event, picture=None), note)
        case PatternDisplayed(phase_rad=phase):
            note = ring.put({"pattern": np.asarray(phase, np.float32)})
            return Report(replace(event, phase_rad=np.zeros((0, 0), np.float32)), note)
        case LayerSets(phases_rad=phases):
            note = ring.put({"layers": np.asarray(phases, np.float32)})
            return Report(replace(event, phases_rad=np.zeros((0, 0, 0, 0), np.float32)), note)
        case HologramStep(picture=picture):
            note = None if picture is None else ring.put({"seen": picture})
            return Report(replace(event, picture=None), note)
        case HologramDisplayed():
            return Report(replace(event, patches_rad=np.zeros((0, 0, 0), np.float32)))
        case GenerationStep():
            note = ring.put({"generated": event.images})
            return Report(replace(event, images=np.zeros((0, 0, 0), np.float32)), note)
        case _:
            return Report(event)
