"""The job in a process of its own: spawned, at low priority, one core left to the window."""

from __future__ import annotations

import multiprocessing
import os
import sys
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as StopFlag
from typing import Any

import numpy as np

from calibration.steps import CalibrationStep
from gui.pictures import PictureNote, PictureRing
from labdiff.events import AlignmentStep, Checkpoint, Event, GenerationStep, TrainingStep


@dataclass(frozen=True, slots=True)
class Told:
    """One event without its arrays, and where its pictures lie."""

    event: Event
    pictures: PictureNote | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The job could not start or broke: what to say, and whether it is the user's to mend."""

    message: str


class Worker:
    """The window's end of the job's process."""

    def __init__(self, factory: str, name: str, options: dict[str, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.ring = PictureRing()
        self._receive, send = context.Pipe(duplex=False)
        self._stop: StopFlag = context.Event()
        self._process = context.Process(
            target=work,
            args=(factory, name, options, self.ring.name, send, self._stop),
            daemon=True,
        )
        self._process.start()
        send.close()
        self._over = False

    def stop(self) -> None:
        """Ask the job to stop; it puts the bench back and closes its file."""
        self._stop.set()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def poll(self, most: int = 200) -> list[Told | Failed]:
        """What came since the last call, at most so many."""
        found: list[Told | Failed] = []
        while len(found) < most and not self._over:
            try:
                if not self._receive.poll():
                    break
                found.append(self._receive.recv())
            except (EOFError, OSError):
                self._over = True
        return found

    @property
    def running(self) -> bool:
        """False once the process has ended and everything it said was read."""
        return not self._over or self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Of the process; None while it runs."""
        return self._process.exitcode

    def close(self) -> None:
        """Stop, wait, and give the memory back."""
        self.stop()
        self._process.join(20.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._receive.close()
        self.ring.close()


def work(
    factory: str,
    name: str,
    options: dict[str, Any],
    ring_name: str,
    send: Connection,
    stop: StopFlag,
) -> None:
    """In the child: open the job, run it, tell the window. Nothing heavy was imported before."""
    _low_priority()
    ring = PictureRing(ring_name)
    try:
        from calibration.result import CalibrationError
        from labdiff.errors import JobStoppedError, UserError
        from labdiff.runner import run

        def tell(event: Event) -> None:
            if isinstance(event, Checkpoint):
                return
            try:
                send.send(_without_arrays(event, ring))
            except (BrokenPipeError, OSError):
                stop.set()  # the window is gone: end in good order rather than train unseen

        try:
            module, _, attribute = factory.partition(":")
            prepared = getattr(import_module(module), attribute)(name, options)
            recorder = prepared.recorder
            record = [recorder] if recorder is not None else []
            run(prepared.job(), record=record, watch=[tell], should_stop=stop.is_set)
        except JobStoppedError:
            pass
        except (UserError, CalibrationError) as error:
            send.send(Failed(str(error)))
        except Exception as error:
            send.send(Failed(f"{type(error).__name__}: {error}"))
            raise
    finally:
        ring.close()
        send.close()


def _low_priority() -> None:
    cores = os.cpu_count() or 2
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores - 1)))
    if sys.platform == "win32":
        import ctypes

        below_normal = 0x4000
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
    else:
        os.nice(10)


def _without_arrays(event: Event, ring: PictureRing) -> Told:
    match event:
        case TrainingStep(pictures=pictures) if pictures is not None:
            parts = {
                "input": pictures.input_field,
                "camera": pictures.camera,
                "predicted": pictures.predicted_noise,
                "true": pictures.true_noise,
            }
            return Told(replace(event, pictures=None), ring.put(parts))
        case CalibrationStep(picture=picture) | AlignmentStep(picture=picture):
            note = None if picture is None else ring.put({"camera": picture})
            return Told(replace(event, picture=None), note)
        case GenerationStep():
            note = ring.put({"generated": event.images[:16]})
            return Told(replace(event, images=np.zeros((0, 0, 0), np.float32)), note)
        case _:
            return Told(event)
