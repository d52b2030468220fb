"""The job's own process: drives the job, forwards events; the only part of gui that runs it."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as StopEvent
from typing import Any

import numpy as np

from calibration.steps import CalibrationStep
from gui.ring import Picture, Ring, Ticket
from labdiff.errors import JobStoppedError, UserError
from labdiff.events import AlignmentStep, Checkpoint, Event, GenerationStep, JobEnded, TrainingStep


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: factories as "module:function", the job's name and its options."""

    job: str
    recorder: str
    name: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RingPlace:
    """How to attach to the window's ring."""

    name: str
    slots: int
    slot_bytes: int


Message = tuple[Event, Ticket | None]


def lower_priority() -> None:
    """Be polite to the window and the rest of the machine; leave one core to them."""
    threads = str(max(1, (os.cpu_count() or 2) - 1))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = threads
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), 0x4000)
    else:
        os.nice(10)


def load(place: str) -> Any:
    """The object that "module:name" names."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def split(event: Event) -> tuple[Event, dict[str, Picture]]:
    """An event without its pictures, and the pictures by name."""
    pictures: dict[str, Any] = {}
    match event:
        case TrainingStep() if event.pictures is not None:
            p = event.pictures
            pictures = {name: getattr(p, name) for name in p.__slots__}
            event = replace(event, pictures=None)
        case CalibrationStep() | AlignmentStep() if event.picture is not None:
            pictures = {"picture": event.picture}
            event = replace(event, picture=None)
        case GenerationStep():
            pictures = {"images": event.images}
            event = replace(event, images=np.zeros((0, 1, 1), np.float32))
    return event, {k: np.asarray(v, np.float32) for k, v in pictures.items()}


def main(order: Order, place: RingPlace, pipe: Connection, stop: StopEvent) -> None:
    """Run the job to its end. Every outcome reaches the window as a JobEnded."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the window decides when to stop
    lower_priority()
    ring = Ring.attach(place.name, place.slots, place.slot_bytes)
    orphaned = False
    ended = JobEnded("completed", "")

    def send(event: Event, ticket: Ticket | None = None) -> None:
        nonlocal orphaned
        try:
            pipe.send((event, ticket))
        except OSError:  # the window is gone: stop, and keep the run
            orphaned = True

    def forward(event: Event) -> None:
        if not isinstance(event, Checkpoint | JobEnded):
            light, pictures = split(event)
            send(light, ring.write(pictures) if pictures else None)

    try:
        from labdiff.runner import run

        with ExitStack() as stack:
            recorder = load(order.recorder)(order.name, order.options)
            if hasattr(recorder, "__enter__"):
                recorder = stack.enter_context(recorder)
            run(
                load(order.job)(order.name, order.options),
                record=[recorder],
                watch=[forward],
                should_stop=lambda: stop.is_set() or orphaned,
            )
    except JobStoppedError as reason:
        ended = JobEnded("stopped", str(reason))
    except UserError as error:
        ended = JobEnded("failed", str(error))
    except Exception as error:
        traceback.print_exc()
        ended = JobEnded("failed", f"{type(error).__name__}: {error}")
    finally:
        send(ended)
        pipe.close()
        ring.release()
