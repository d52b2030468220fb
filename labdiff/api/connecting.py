"""Steer the engine of a window from a script: the same computer, or another one through ssh."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from drivers.types import Frame, Roi
from labdiff.config.training import TrainingOptions
from labdiff.engine import commands as ask
from labdiff.engine.door_commands import RUN_FOLDER, encode
from labdiff.engine.door_messages import (
    PROTOCOL,
    Array,
    ClosedError,
    Fields,
    Message,
    is_proof,
    proof,
    receive_message,
    send_message,
)
from labdiff.engine.door_token import HOST, DoorAddress, read_token, served_here
from labdiff.engine.door_values import bench_state, numbered_frame
from labdiff.engine.status import BenchState
from labdiff.errors import JobStoppedError, UserError
from labdiff.generation.request import GenerationRequest

if TYPE_CHECKING:
    from twin.digital_twin import DigitalTwin

CONNECTS_WITHIN_S, CLOSES_WITHIN_S = 5.0, 30.0
POLL_S, FRAME_POLL_S = 0.2, 0.01
NONCE_BYTES = 16
TOKEN_VARIABLE = "LABDIFF_TOKEN"


def connect(
    address: str | None = None, *, token: str | None = None, token_file: str | Path | None = None
) -> ConnectedEngine:
    """Connect to the engine of a window that was started with `labdiff gui --serve`.

    Args:
        address: "HOST:PORT", such as the end of an ssh tunnel; None for the window on this computer.
        token: The window's token; None for that of the file, or of the variable LABDIFF_TOKEN.
        token_file: A copy of the window's token file.

    Returns:
        The engine, which does what the window's own buttons do.

    Raises:
        UserError: If there is no such window, or it does not know the token.

    Example:
        >>> with labdiff.connect() as engine:
        ...     engine.set_exposure(2.0)
        ...     pixels = engine.frame().pixels
    """
    token = token or os.environ.get(TOKEN_VARIABLE) or None
    if token_file is not None:
        found = read_token(Path(token_file))
    elif token is None or address is None:
        found = served_here()
    else:
        found = DoorAddress(0, token)
    host, port = HOST, found.port
    if address is not None:
        host, _, number = address.rpartition(":")
        if not host or not number.isdecimal():
            raise UserError(f"address {address!r}: expected HOST:PORT, such as 127.0.0.1:7431")
        port = int(number)
    return ConnectedEngine(host, port, token or found.token)


class ConnectedEngine:
    """The engine of a window, as a script has it.

    Every call returns when the engine has done it, and raises UserError with the engine's own message if it
    has not. Closing it leaves the bench as it is: the window goes on.

    Args:
        host: Where the window listens.
        port: Its port.
        token: Its token.
    """

    def __init__(self, host: str, port: int, token: str) -> None:
        self._where = host, port
        self._calls = _Line(host, port, token)
        # Of its own: the safe state waits for no call in progress.
        self._safe = _Line(host, port, token)

    def __enter__(self) -> ConnectedEngine:
        """Return the engine."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def __repr__(self) -> str:
        return f"<engine of the window at {self._where[0]}:{self._where[1]}>"

    def close(self) -> None:
        """Close the connection; the window and its bench stay as they are."""
        self._calls.close()
        self._safe.close()

    def make_safe(self) -> None:
        """Switch the laser off at once, then end the job and flatten the SLM; from any thread."""
        self._safe.call({"command": "SafeState"})

    def state(self) -> BenchState:
        """Return what the devices have reported last."""
        return bench_state(self._calls.call({"ask": "state"}))

    def open_bench(self, bench: str = "mock", seed: int = 0) -> BenchState:
        """Connect a bench in the window, and return its state when it is open.

        Args:
            bench: Bench file on the window's computer, or shipped bench.
            seed: Of a mock bench.
        """
        self._send(ask.Connect(bench, seed))
        return self.state()

    def close_bench(self) -> None:
        """Leave the bench safe and close it."""
        self._send(ask.Disconnect())
        until_s = time.monotonic() + CLOSES_WITHIN_S
        while self.state().devices:
            if time.monotonic() > until_s:
                raise UserError(f"the bench was not closed within {CLOSES_WITHIN_S:g} s")
            time.sleep(POLL_S)

    def set_exposure(self, exposure_ms: float) -> None:
        """Set the camera's exposure time."""
        self._send(ask.SetExposure(exposure_ms))

    def set_gain(self, gain_db: float) -> None:
        """Set the camera's gain."""
        self._send(ask.SetGain(gain_db))

    def set_roi(self, roi: Roi | None) -> None:
        """Set the camera's window, in raw-sensor pixels; None for the whole sensor."""
        self._send(ask.SetRoi(roi))

    def auto_expose(self) -> None:
        """Set the exposure at which the brightest pixel is at about 80 % of full scale."""
        self._send(ask.AutoExpose())

    def set_power(self, power_mw: float) -> None:
        """Set the laser's power."""
        self._send(ask.SetPower(power_mw))

    def switch_laser(self, on: bool) -> None:
        """Switch the laser on or off."""
        self._send(ask.SetEmission(on))

    def set_live(self, on: bool) -> None:
        """Show live frames in the window, or none."""
        self._send(ask.SetLive(on))

    def show(self, phase_rad: npt.NDArray[np.floating] | None) -> None:
        """Display a phase on the whole SLM, (height, width), rad; a flat one if None."""
        self._send(ask.ShowPhase(None if phase_rad is None else np.asarray(phase_rad, np.float32)))

    def show_input(self, field: npt.NDArray[np.floating], name: str = "field") -> None:
        """Display a field on the DMD, (height, width), amplitude in 0 ... 1."""
        self._send(ask.ShowInput(np.asarray(field, np.float32), name))

    def frame(self, timeout_s: float = 10.0) -> Frame:
        """Return the next frame that the camera takes; the live view has to be on, or a job to run.

        Raises:
            UserError: If none came in time.
        """
        return self.frames(1, timeout_s)[0]

    def frames(self, count: int, timeout_s: float = 10.0) -> list[Frame]:
        """Return the next frames that the window shows; frames that it has passed over are not among them.

        Args:
            count: Number of frames.
            timeout_s: Longest time between two of them.

        Raises:
            UserError: If one did not come in time.
        """
        found: list[Frame] = []
        after = -1
        until_s = time.monotonic() + timeout_s
        while len(found) < count:
            answer = numbered_frame(self._calls.call({"ask": "frame"}))
            if answer is not None and answer[0] != after:
                if after >= 0:
                    found.append(answer[1])
                    until_s = time.monotonic() + timeout_s
                after = answer[0]
            if time.monotonic() > until_s:
                raise UserError(f"no frame came within {timeout_s:g} s; is the live view on?")
            time.sleep(FRAME_POLL_S)
        return found

    def twin(self) -> DigitalTwin:
        """Return the digital twin that the bench's archive has, computed in this program.

        Bench file and archive have to be on this computer.
        """
        from labdiff.api.stored_twin import stored_twin

        found = self._calls.call({"ask": "file"}).fields
        if not self.state().devices:
            raise UserError("no bench is connected, so there is no twin of it")
        return stored_twin(str(found.get("file")), Path(str(found.get("calibrations"))))

    def calibrate(self, *names: str, everything: bool = False, check: bool = False) -> None:
        """Calibrate, and return when that has ended.

        Args:
            names: Routines to measure; none for all whose results are no longer valid.
            everything: Measure all routines.
            check: Check the stored results and measure nothing.
        """
        self._send(ask.Calibrate(names, everything, check))
        self.wait()

    def train(self, options: TrainingOptions | None = None, start_from: str | None = None) -> Path:
        """Train, and return the run file, on the window's computer, when that has ended.

        Args:
            options: The options of the training.
            start_from: A layer file there, or "pretrained".
        """
        start = None if start_from is None else Path(start_from)
        self._send(ask.Train(options or TrainingOptions(), RUN_FOLDER, start))
        return Path(self.wait())

    def generate(self, request: GenerationRequest | None = None) -> npt.NDArray[np.float32]:
        """Generate images, and return them, (B, H, W) in -1 ... 1.

        Args:
            request: What is asked for; None for 16 images with the pretrained layers, on the twin.
        """
        self._send(ask.Generate(request or GenerationRequest()))
        self.wait()
        answer = self._calls.call({"ask": "images"})
        if not answer.arrays:
            raise UserError("no images came")
        return np.asarray(answer.arrays[0], np.float32)

    def pause(self) -> None:
        """Pause the job between two of its steps."""
        self._send(ask.Pause())

    def resume(self) -> None:
        """Resume the paused job."""
        self._send(ask.Resume())

    def stop(self) -> None:
        """Stop the job; what it recorded stays."""
        self._send(ask.Stop())

    def wait(self) -> str:
        """Wait for the end of the job, and return the file that it wrote, "" for none.

        Raises:
            JobStoppedError: If the job was stopped.
            UserError: If it failed.
        """
        while True:
            job = self._calls.call({"ask": "job"}).fields
            if job.get("state") == "idle":
                break
            time.sleep(POLL_S)
        outcome, reason = str(job.get("outcome", "")), str(job.get("reason", ""))
        if outcome == "stopped":
            raise JobStoppedError(reason)
        if outcome == "failed":
            raise UserError(reason)
        return str(job.get("path", ""))

    def _send(self, command: ask.Command) -> None:
        self._calls.call(*encode(command))


class _Line:
    """A connection, on which one call at a time is made."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._where = f"{host}:{port}"
        self._lock = threading.Lock()
        try:
            self._socket = socket.create_connection((host, port), CONNECTS_WITHIN_S)
        except (OSError, OverflowError) as error:
            raise UserError(f"{self._where}: no window answers there ({error})") from None
        try:
            self._greet(token)
        except (ClosedError, OSError) as error:
            self._socket.close()
            raise UserError(
                f"{self._where}: does not take this token, or is no window of labdiff ({error})"
            ) from None
        except UserError:
            self._socket.close()
            raise

    def _greet(self, token: str) -> None:
        own = secrets.token_hex(NONCE_BYTES)
        hello = receive_message(self._socket, begins_within_s=CONNECTS_WITHIN_S).fields
        if hello.get("labdiff") != PROTOCOL:
            raise UserError(f"{self._where}: is no window of labdiff of this version")
        nonces = str(hello.get("nonce", "")), own
        send_message(self._socket, {"nonce": own, "proof": proof(token, "client", nonces)})
        answer = receive_message(self._socket, begins_within_s=CONNECTS_WITHIN_S).fields
        if not is_proof(answer.get("proof"), proof(token, "server", nonces)):
            raise UserError(f"{self._where}: does not know the window's token; nothing was sent")

    def call(self, fields: Fields, arrays: Sequence[Array] = ()) -> Message:
        """Send a message and return the answer. Raises UserError with the window's own message."""
        with self._lock:
            try:
                self._socket.settimeout(None)
                send_message(self._socket, fields, arrays)
                answer = receive_message(self._socket)
            except (ClosedError, OSError) as error:
                raise UserError(f"{self._where}: the window is gone ({error})") from None
        problem = answer.fields.get("error")
        if problem:
            raise UserError(str(problem))
        return answer

    def close(self) -> None:
        self._socket.close()
