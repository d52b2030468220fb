"""The engine in a process of its own: spawned, at low priority, one core left to the window."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from calibration.step import CalibrationStep
from drivers.types import Frame
from gui.process.frame_ring import FrameRing
from gui.process.picture_ring import PictureNote, PictureRing
from gui.process.priority import lower_priority
from labdiff.engine.commands import Command, Quit, SafeState
from labdiff.engine.status import EngineEvent, ErrorReport, LayerSets, PatternDisplayed
from labdiff.events import AlignmentStep, Checkpoint, GenerationStep, TrainingStep

ENGINE = "labdiff.engine.engine:Engine"
PATIENCE_S = 20.0
"""A calibration's fit ends, a laser's and a camera's time-out pass; then it is ended."""


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of news without its arrays, and where its pictures lie."""

    news: EngineEvent
    pictures: PictureNote | None = None


class BenchProcess:
    """The window's end. sensor_shape: (height, width) of the camera's largest frame.

    engine: names the class that is served in the process.
    """

    def __init__(self, sensor_shape: tuple[int, int], engine: str = ENGINE) -> None:
        context = multiprocessing.get_context("spawn")
        self.pictures = PictureRing()
        self.frames = FrameRing.create(sensor_shape)
        self._news, send = context.Pipe(duplex=False)
        take, self._commands = context.Pipe(duplex=False)
        names = self.pictures.name, self.frames.name
        self._process = context.Process(
            target=serve, args=(engine, names, take, send), name="bench", daemon=True
        )
        self._process.start()
        send.close()
        take.close()
        self._over = False

    def ask(self, command: Command) -> bool:
        """Send a command; False if nobody is there any more."""
        try:
            self._commands.send(command)
        except (BrokenPipeError, OSError):
            return False
        return True

    def poll(self, most: int = 200) -> list[Told]:
        """What came since the last call, at most so much."""
        found: list[Told] = []
        while len(found) < most and not self._over:
            try:
                if not self._news.poll():
                    break
                found.append(self._news.recv())
            except (EOFError, OSError):
                self._over = True
        return found

    @property
    def alive(self) -> bool:
        """False once the process has ended and everything it said was read."""
        return not self._over or self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Of the process; None while it runs."""
        return self._process.exitcode

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    def close(self, patience_s: float = PATIENCE_S) -> None:
        """Let it leave the bench safe and end; end it if it does not. The memory goes back."""
        self.ask(Quit())
        self._process.join(patience_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._news.close()
        self._commands.close()
        self.pictures.close()
        self.frames.close()


def serve(engine: str, names: tuple[str, str], take: Connection, send: Connection) -> None:
    """In the child: make the engine and serve it. Nothing heavy was imported before."""
    lower_priority()
    pictures, frames = PictureRing(names[0]), FrameRing.attach(names[1])
    talk = threading.Lock()

    def tell(news: EngineEvent) -> None:
        if isinstance(news, Checkpoint):
            return
        with talk:
            try:
                send.send(_without_arrays(news, pictures))
            except (BrokenPipeError, OSError):
                commands.put(None)  # the window is gone: end in good order rather than work unseen

    def show(frame: Frame) -> None:
        frames.put(frame)

    commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    try:
        module, _, name = engine.partition(":")
        served: Any = getattr(import_module(module), name)(tell, show)
        listener = threading.Thread(
            target=_listen, args=(take, commands, served.laser_off), name="commands", daemon=True
        )
        listener.start()

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
        tell(ErrorReport(f"{type(error).__name__}: {error}"))
        raise
    finally:
        pictures.close()
        frames.close()
        send.close()


def _listen(
    take: Connection, commands: queue.SimpleQueue[Command | None], laser_off: Callable[[], None]
) -> None:
    """Commands as they come. The laser does not wait for the job to come to its next event."""
    while True:
        try:
            command: Command = take.recv()
        except (EOFError, OSError):
            commands.put(None)
            return
        if isinstance(command, SafeState):
            # What goes wrong is said when the command itself is obeyed.
            with contextlib.suppress(Exception):
                laser_off()
        commands.put(command)


def _without_arrays(news: EngineEvent, ring: PictureRing) -> Told:
    match news:
        case TrainingStep(pictures=pictures) if pictures is not None:
            parts = {
                "input": pictures.input_field,
                "camera": pictures.camera,
                "predicted": pictures.predicted_noise,
                "true": pictures.true_noise,
            }
            return Told(replace(news, pictures=None), ring.put(parts))
        case CalibrationStep(picture=picture) | AlignmentStep(picture=picture):
            note = None if picture is None else ring.put({"camera": picture})
            return Told(replace(news, picture=None), note)
        case PatternDisplayed(phase_rad=phase):
            note = ring.put({"pattern": np.asarray(phase, np.float32)})
            return Told(replace(news, phase_rad=np.zeros((0, 0), np.float32)), note)
        case LayerSets(phases_rad=phases):
            note = ring.put({"layers": np.asarray(phases, np.float32)})
            return Told(replace(news, phases_rad=np.zeros((0, 0, 0, 0), np.float32)), note)
        case GenerationStep():
            note = ring.put({"generated": news.images})
            return Told(replace(news, images=np.zeros((0, 0, 0), np.float32)), note)
        case _:
            return Told(news)
