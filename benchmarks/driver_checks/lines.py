"""Thousands of questions over lines that lose, delay, cut and garble: no answer is another question's."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial

import numpy as np

from benchmarks.claims import Claim, claim
from benchmarks.parts import Outcome, Setting
from drivers.errors import DeviceError, DeviceNotFoundError
from drivers.laser.solstis_tcp import SolstisConnection
from drivers.visa import VisaLink
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.visa.instruments import Instrument
from mock_hardware.visa.line import PtyLine, TcpLine, Trouble, lines_of, messages_of
from mock_hardware.visa.solstis import SolstisProtocol

TIMEOUT_MS = 40
FAULTS = {"lost": 0.02, "late": 0.04, "cut": 0.03, "garbled": 0.02, "in two": 0.05}
GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 160), (32, 32), 16, (10, 60, 110), 5.7, 0.2, "slm_patch",
    (96, 96), 3.45, 12, 0.6,
)  # fmt: skip


class FaultyLine:
    """A line whose answers meet faults by chance; what is late comes before one of the next answers."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._late: list[bytes] = []
        self.met: Counter[str] = Counter()

    def __call__(self, answer: bytes) -> list[bytes]:
        """Return what is sent in place of an answer."""
        fault = str(self._rng.choice([*FAULTS, ""], p=[*FAULTS.values(), 1 - sum(FAULTS.values())]))
        before, self._late = self._late, []
        self.met[fault] += 1
        cut = int(self._rng.integers(1, max(len(answer), 2)))
        if fault == "lost":
            return before
        if fault == "late":
            self._late = [answer]
            return before
        if fault == "cut":
            return [*before, answer[:cut]]
        if fault == "garbled":
            return [*before, b"\xff\x80" + answer]
        return [*before, answer[:cut], answer[cut:]] if fault == "in two" else [*before, answer]


def measure(setting: Setting) -> Outcome:
    """Ask over VISA by TCP and a pseudo-terminal, and by SolsTiS' JSON."""
    asked = setting.amount("questions a line", smoke=12, quick=200, full=4000)
    claims: list[Claim] = []
    for name in ("tcp", "pty"):
        wrong, met, answered = ask_visa(name, asked)
        faults = sum(met.values()) - met[""]
        claims += [
            claim(
                f"visa over {name}, {faults} faults in {asked} questions: wrong answers",
                wrong,
                "<= 0",
            ),
            claim(f"visa over {name}: questions answered at last", answered, f">= {asked}"),
        ]
    wrong, met, answered = ask_solstis(asked)
    faults = sum(met.values()) - met[""]
    claims += [
        claim(f"solstis, {faults} faults in {asked} questions: wrong answers", wrong, "<= 0"),
        claim("solstis: questions answered at last", answered, f">= {asked}"),
    ]
    return Outcome(claims)


def ask_visa(name: str, asked: int) -> tuple[int, Counter[str], int]:
    """Return wrong answers, the faults met, and answers: question n has the answer n."""
    instrument = Instrument("faulty,1,2,3")
    for number in range(asked):
        instrument.queries[f"N{number}?"] = partial("{:08d}".format, number)
    faulty = FaultyLine(1)
    with PtyLine(lines_of(instrument)) if name == "pty" else TcpLine(lines_of(instrument)) as line:
        link = _opened(line.address)
        line.trouble = faulty
        wrong = answered = 0
        for number in range(asked):
            for _ in range(50):
                with suppress(DeviceError):
                    answer = link.number(f"N{number}?")
                    answered += 1
                    wrong += answer != number
                    break
        link.close()
    return wrong, faulty.met, answered


def _opened(address: str) -> VisaLink:
    """Open a line without faults; the time-out is short, and a busy machine may miss it."""
    for _ in range(50):
        with suppress(DeviceError):
            return VisaLink.open(address, TIMEOUT_MS)
    return VisaLink.open(address, TIMEOUT_MS)


def ask_solstis(asked: int) -> tuple[int, Counter[str], int]:
    """Return the same for pings; a line that is out of step is opened again."""
    protocol = SolstisProtocol(MockLaboratory.create(GEOMETRY, seed=1))
    faulty = FaultyLine(2)
    calm: Trouble = lambda answer: [answer]  # noqa: E731
    with TcpLine(messages_of(protocol)) as line:
        link = SolstisConnection("127.0.0.1", line.port, TIMEOUT_MS / 1e3)
        wrong = answered = 0
        for number in range(asked):
            for _ in range(50):
                line.trouble = faulty
                try:
                    answer = link.ask("ping", text_in=f"Ping{number}")
                except DeviceError:
                    line.trouble = calm
                    if link.closed:
                        with suppress(DeviceNotFoundError):
                            link = SolstisConnection("127.0.0.1", line.port, 1.0)
                    continue
                answered += 1
                wrong += answer["text_out"] != f"pING{number}"
                break
        link.close()
    return wrong, faulty.met, answered
