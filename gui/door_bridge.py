"""What a script asks of the window, done in the window's own thread and logged like what its user does."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from gui.event_router import EventRouter
from gui.panels.panel_set import PanelSet
from gui.runs.run_folder import new_run_folder
from labdiff.config.bench import SHIPPED, load_bench
from labdiff.engine import commands as ask
from labdiff.engine.door import Answer, Door
from labdiff.engine.door_commands import decode
from labdiff.engine.door_messages import Message
from labdiff.engine.door_token import DoorAddress
from labdiff.engine.door_values import frame_fields, state_fields
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest

GONE = "the bench's process has ended"


class Steered(Protocol):
    """The window as a script steers it; number: by which the engine's answer is known."""

    panels: PanelSet
    router: EventRouter

    def send(self, command: ask.Command, number: int = 0) -> bool:
        """Send a command to the engine; return False if there is none."""
        ...

    def connect_bench(self, bench: str, seed: int, monitor: str = "", number: int = 0) -> None:
        """Open a bench in a process of its own.

        Args:
            bench: Bench file or shipped bench.
            seed: Seed of a mock laboratory.
            monitor: Address of the SLM's monitor; "" for the bench file's.
            number: By which the outcome is reported.
        """
        ...

    def disconnect_bench(self) -> None:
        """Let the process leave the bench safe and end."""
        ...

    def generate(self, request: GenerationRequest, number: int = 0) -> None:
        """Ask for images."""
        ...

    def send_safe(self) -> None:
        """Switch the laser off at once, from any thread."""
        ...


class DoorBridge(QObject):
    """Answers scripts; each message comes from a thread of the door.

    Args:
        window: The window.
        out: Folder of runs.
        port: Port at which scripts are waited for; 0 for any.
        private: The token is in no file: only whom this process gives it comes in.

    Raises:
        UserError: If nothing can listen there.
    """

    _asked = Signal(object, object)

    def __init__(self, window: Steered, out: Path, port: int, private: bool = False) -> None:
        super().__init__()
        self._window, self._out = window, out
        self._panels, self._router = panels, router = window.panels, window.router
        self._waiting: dict[int, Future[Answer]] = {}
        self._number = 0
        self._asked.connect(self._answer)
        router.answered.connect(self._on_answered)
        router.was_reset.connect(self._on_reset)
        self._door = Door(port, self._ask, window.send_safe, private)
        if not private:
            panels.log.add(
                f"scripts are served at port {self.address.port} of this computer; the token is in "
                f"{self._door.token_file}"
            )

    @property
    def address(self) -> DoorAddress:
        """Where it listens, and the token."""
        return self._door.address

    def close(self) -> None:
        """Answer nobody any more."""
        self._door.close()
        self._on_reset()

    def _ask(self, message: Message) -> Answer:
        """Have the window's thread answer, and wait for it; in a thread of the door."""
        answer: Future[Answer] = Future()
        self._asked.emit(message, answer)
        try:
            return answer.result()
        except CancelledError:
            raise UserError("the window is closed") from None

    def _answer(self, message: Message, answer: Future[Answer]) -> None:
        try:
            done = self._look(message) or self._act(message, answer)
        except UserError as error:
            answer.set_exception(error)
            return
        if done is not None:
            answer.set_result(done)

    def _look(self, message: Message) -> Answer | None:
        """Return what is to be looked at; None if something is to be done."""
        panels, router = self._panels, self._router
        match message.fields.get("ask"):
            case "state":
                return state_fields(router.bench), []
            case "job":
                ended = router.ended
                return {
                    "state": router.job.state,
                    "kind": router.job.kind,
                    "path": router.job.path or router.ended_path,
                    "outcome": ended.outcome if ended else "",
                    "reason": ended.reason if ended else "",
                }, []
            case "file":
                bench, archive = panels.bench.bench.currentText().strip(), router.bench.calibrations
                file = bench if bench in SHIPPED else str(Path(bench).absolute())
                return {"file": file, "calibrations": str(Path(archive).absolute())}, []
            case "frame":
                entry = panels.live.view.newest
                if entry is None:
                    return {"frame": None}, []
                return frame_fields(entry.number, entry.frame)
            case "images":
                moments = panels.generate.view.moments
                return {}, [moments[-1][1]] if moments else []
        return None

    def _act(self, message: Message, answer: Future[Answer]) -> Answer | None:
        """Do what a command asks for; return the answer, or None if it comes from the engine."""
        command = decode(message.fields, message.arrays)
        self._number += 1
        number, window = self._number, self._window
        match command:
            case ask.SafeState():  # the laser is off already
                self._panels.bench.withdraw_questions()
                self._panels.log.add("safe state, asked for by a script")
                return {}, []
            case ask.Disconnect():
                if self._router.bench.devices:
                    window.disconnect_bench()
                return {}, []
            case ask.Connect(bench=bench, seed=seed, slm_address=address):
                if self._router.busy:
                    raise UserError(f"a {self._router.job.kind} runs; stop it first")
                load_bench(bench)
                window.connect_bench(bench, seed, address or "", number)
            case ask.Generate(request):
                window.generate(request, number)
            case ask.Train():
                self._send(replace(command, out=new_run_folder(self._out)), number)
            case _:
                self._send(command, number)
        self._waiting[number] = answer
        return None

    def _send(self, command: ask.Command, number: int) -> None:
        if not self._window.send(command, number):
            raise UserError("no bench is connected; choose one and connect")

    def _on_answered(self, number: int, error: str) -> None:
        answer = self._waiting.pop(number, None)
        if answer is not None and error:
            answer.set_exception(UserError(error))
        elif answer is not None:
            answer.set_result(({}, []))

    def _on_reset(self) -> None:
        """Fail what waits for a process that is gone."""
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            answer.set_exception(UserError(GONE))
