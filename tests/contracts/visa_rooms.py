"""A mock laboratory whose instruments are reached through VISA: over TCP, a pty, or pyvisa-sim."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import resources

import pytest

from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.visa.instruments import Instrument, LaserInstrument
from mock_hardware.visa.line import PtyLine, TcpLine, lines_of

GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 160), (32, 32), 16, (10, 60, 110), 5.7, 0.2, "slm_patch",
    (96, 96), 3.45, 12, 0.6,
)  # fmt: skip
DMD_GEOMETRY = replace(GEOMETRY, input_kind="dmd")
Make = Callable[[MockLaboratory], Instrument]
MakeLaser = Callable[[MockLaboratory], LaserInstrument]


@dataclass
class Room:
    """address: of the instrument. line: to trouble it."""

    laboratory: MockLaboratory
    instrument: Instrument
    line: TcpLine | PtyLine
    address: str


@contextmanager
def room(make: Make, line: str = "tcp", laboratory: MockLaboratory | None = None) -> Iterator[Room]:
    """line: "tcp" or "pty"."""
    laboratory = laboratory or MockLaboratory.create(GEOMETRY, seed=1)
    instrument = make(laboratory)
    with ExitStack() as stack:
        speak = lines_of(instrument)
        if line == "pty":
            if sys.platform == "win32":
                pytest.skip("Windows has no pseudo-terminals")
            found: TcpLine | PtyLine = stack.enter_context(PtyLine(speak))
        else:
            found = stack.enter_context(TcpLine(speak))
        yield Room(laboratory, instrument, found, found.address)


def simulated() -> str:
    """VISA's library for pyvisa-sim with the instruments' file; skips where it is not installed."""
    pytest.importorskip("pyvisa_sim", reason="pyvisa-sim is not installed: pip install pyvisa-sim")
    return f"{resources.files('mock_hardware.visa').joinpath('instruments.yaml')}@sim"
