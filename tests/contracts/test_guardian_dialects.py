"""A guardian has the description of a line alone: it makes a laser of every dialect dark, or says not."""

from __future__ import annotations

import pytest

from drivers.laser.line import LaserLine, LaserWithLine
from mock_hardware.visa.line import TcpLine
from tests.contracts.line_dialects import DIALECTS, DialectLaser, opened


class Stuck(DialectLaser):
    """A laser that hears the order to switch off and does not obey."""

    def _obey(self, command: str) -> None:
        if command != self._dialect.off:
            super()._obey(command)


def line_of(name: str, line: TcpLine) -> LaserLine:
    """Return the description of a line as a guardian receives it, when the laser's program has ended."""
    with opened(DIALECTS[name], line) as laser:
        assert isinstance(laser, LaserWithLine) and laser.line is not None
        return LaserLine.from_json(laser.line.to_json())


@pytest.mark.parametrize("name", DIALECTS)
def test_it_makes_a_lit_laser_dark_and_confirms_it(name: str) -> None:
    truth = DialectLaser(DIALECTS[name])
    with TcpLine(truth.speak) as line:
        described = line_of(name, line)
        truth.on = True
        truth.orders.clear()
        assert described.make_dark(0.0) == ""
        assert not truth.on
        assert DIALECTS[name].off in truth.orders


@pytest.mark.parametrize("name", DIALECTS)
def test_it_confirms_no_laser_that_still_emits(name: str) -> None:
    obeys = DialectLaser(DIALECTS[name])
    with TcpLine(obeys.speak) as line:
        described = line_of(name, line)
        stuck = Stuck(DIALECTS[name])
        stuck.on = True
        line._speak = stuck.speak
        assert described.make_dark(0.0) != ""
        assert stuck.on
