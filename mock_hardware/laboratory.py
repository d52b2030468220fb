"""The laboratory: a world, the devices that act on it, and the state of both."""

from __future__ import annotations

from mock_hardware.camera import MockCamera
from mock_hardware.clock import Clock, RealClock, VirtualClock
from mock_hardware.dmd import MockDMD
from mock_hardware.geometry import MockGeometry
from mock_hardware.laser import MockLaser, MockPowerMeter
from mock_hardware.settings import MockSettings
from mock_hardware.slm import MockSLM
from mock_hardware.state import State, Stateful, named, part
from mock_hardware.world import World


class MockLaboratory:
    """A bench of simulated devices with hidden imperfections.

    `world.truth` holds what is hidden; labdiff never reads it.
    """

    def __init__(
        self, geometry: MockGeometry, settings: MockSettings, seed: int, clock: Clock
    ) -> None:
        self.world = World(geometry, settings, seed, clock)
        # A fault that begins with a frame meets the devices in this order.
        self.slm = MockSLM(self.world)
        mirrors = self.world.mirrors
        self.dmd = None if mirrors is None else MockDMD(self.world, mirrors)
        self.laser = MockLaser(self.world)
        self.power_meter = MockPowerMeter(self.world)
        self.camera = MockCamera(self.world)

    @classmethod
    def create(
        cls, geometry: MockGeometry, settings: MockSettings | None = None, seed: int = 0
    ) -> MockLaboratory:
        """Return a laboratory with the imperfections of this seed.

        Args:
            geometry: The bench by its data sheet.
            settings: Effects and features; None: all as shipped.
            seed: Of the hidden imperfections, drift, noise and chances of faults.
        """
        settings = settings or MockSettings()
        clock = VirtualClock() if settings.clock == "virtual" else RealClock()
        return cls(geometry, settings, seed, clock)

    def state(self) -> State | None:
        """Return all that a fresh laboratory of this seed needs to go on; None in real time.

        What is hidden, the drift and the chances of faults follow from seed, time and counters.
        """
        if not isinstance(self.world.clock, VirtualClock):
            return None
        state: State = {"now_s": self.world.clock.now_s()}
        for name, each in self._parts().items():
            state |= named(name, each.state())
        return state

    def restore(self, state: State) -> None:
        """Restore the state of a laboratory of the same geometry, settings and seed."""
        assert isinstance(self.world.clock, VirtualClock)
        self.world.clock.restore(float(state["now_s"]))
        for name, each in self._parts().items():
            each.restore(part(name, state))

    def _parts(self) -> dict[str, Stateful]:
        """Return the parts by the names under which a state file has them ("plug": a connection)."""
        parts: dict[str, Stateful] = {
            "faults": self.world.faults,
            "camera": self.camera,
            "laser": self.world.laser_output,
            "laser plug": self.laser.connection,
            "slm": self.slm,
            "slm plug": self.slm.connection,
        }
        if self.dmd is not None:
            parts |= {"dmd": self.dmd.mirrors, "dmd plug": self.dmd.connection}
        return parts
