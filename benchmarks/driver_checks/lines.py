"""Thousands of questions over lines that lose, delay, cut and garble: no answer is another question's."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial

import numpy as np

from benchmarks.claims import Claim, claim
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


class Storm:
    """Does to each answer what chance says; what is late comes before one of the next answers."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._late: list[bytes] = []
        self.met: Counter[str] = Counter()

    def __call__(self, answer: bytes) -> list[bytes]:
        """What goes out."""
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


def check(quick: bool) -> list[Claim]:
    """VISA over TCP and a pseudo-terminal, and SolsTiS' JSON."""
    asked = 400 if quick else 4000
    claims: list[Claim] = []
    for name in ("tcp", "pty"):
        wrong, met, answered = visa_storm(name, asked)
        faults = sum(met.values()) - met[""]
        claims += [
            claim(
                f"visa over {name}, {faults} faults in {asked} questions: wrong answers",
                wrong,
                "<= 0",
            ),
            claim(f"visa over {name}: questions answered at last", answered, f">= {asked}"),
        ]
    wrong, met, answered = solstis_storm(asked)
    faults = sum(met.values()) - met[""]
    claims += [
        claim(f"solstis, {faults} faults in {asked} questions: wrong answers", wrong, "<= 0"),
        claim("solstis: questions answered at last", answered, f">= {asked}"),
    ]
    return claims


def visa_storm(name: str, asked: int) -> tuple[int, Counter[str], int]:
    """(wrong answers, what was met, answers): question n has the answer n."""
    instrument = Instrument("storm,1,2,3")
    for number in range(asked):
        instrument.queries[f"N{number}?"] = partial("{:08d}".format, number)
    storm = Storm(1)
    with PtyLine(lines_of(instrument)) if name == "pty" else TcpLine(lines_of(instrument)) as line:
        link = VisaLink.open(line.address, TIMEOUT_MS)
        line.trouble = storm
        wrong = answered = 0
        for number in range(asked):
            for _ in range(50):
                with suppress(DeviceError):
                    answer = link.number(f"N{number}?")
                    answered += 1
                    wrong += answer != number
                    break
        link.close()
    return wrong, storm.met, answered


def solstis_storm(asked: int) -> tuple[int, Counter[str], int]:
    """The same by pings; a line that is out of step is opened again."""
    protocol = SolstisProtocol(MockLaboratory.create(GEOMETRY, seed=1))
    storm: Storm = Storm(2)
    calm: Trouble = lambda answer: [answer]  # noqa: E731
    with TcpLine(messages_of(protocol)) as line:
        link = SolstisConnection("127.0.0.1", line.port, TIMEOUT_MS / 1e3)
        wrong = answered = 0
        for number in range(asked):
            for _ in range(50):
                line.trouble = storm
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
    return wrong, storm.met, answered
