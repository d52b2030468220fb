"""A laboratory with a laser that has a knob: its beam block is moved by a person, who is scripted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from drivers.operator import HandRequest
from drivers.protocols import Camera
from drivers.registry import CAMERAS
from drivers.settings import CameraSettings, NoOptions
from labdiff.bench.mock_bench import mock_geometry
from labdiff.config.bench import bench_text, parse_bench
from mock_hardware.laboratory import MockLaboratory
from tests.contracts.peers import served

SEED = 3


@dataclass
class Person:
    """Does what is asked: the light comes out while laser and shutter let it.

    asked: what was asked, in order. obeys: False for somebody who says yes and does nothing.
    """

    laboratory: MockLaboratory
    asked: list[str] = field(default_factory=list)
    obeys: bool = True
    free: dict[str, bool] = field(default_factory=dict)

    def __call__(self, request: HandRequest) -> bool:
        self.asked.append(f"{request.device}: {request.act}")
        if self.obeys:
            self.free[request.device] = request.act.startswith(("open", "unblock"))
            laser = self.laboratory.laser
            laser.emission = all(self.free.values())
            # A person answers once the light is as it was asked for.
            self.laboratory.world.clock.sleep_s(laser.timing.total_ms / 1e3)
        return True


@dataclass(frozen=True)
class HeneRoom:
    """bench: its file. person: at the bench."""

    bench: Path
    person: Person
    laboratory: MockLaboratory


@contextmanager
def hene_room(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[HeneRoom]:
    """An SLM on slmPy's line, a camera, a laser and a shutter that a person moves; time is the mock's."""
    _, text = bench_text("mock-small")
    config = parse_bench(text, "mock-small")
    laboratory = MockLaboratory.create(mock_geometry(config), config.mock, SEED)

    class RoomCamera:
        Options: ClassVar[type[NoOptions]] = NoOptions

        @staticmethod
        def from_settings(settings: CameraSettings[NoOptions]) -> Camera:
            laboratory.camera.reopen()
            return laboratory.camera

    patch.setitem(CAMERAS.built_in, "room", lambda: RoomCamera)
    patch.setattr("labdiff.bench.open.SystemClock", lambda: laboratory.world.clock)
    with served(lambda grey: laboratory.slm.set_grey(grey), config.slm.shape) as port:
        slm = f'[slm]\ndriver = "slmpy"\naddress = "127.0.0.1:{port}"'
        text = text.replace('[slm]\ndriver = "mock"', slm)
        text = text.replace('[camera]\ndriver = "mock"', '[camera]\ndriver = "room"')
        laser = 'driver = "manual"\noptions.unblock = "unblock the HeNe"'
        text = text.replace('[laser]\ndriver = "mock"', f"[laser]\n{laser}")
        text += '\n[shutter]\ndriver = "manual"\n'
        path = folder / "hene.toml"
        path.write_text(text, encoding="utf-8")
        yield HeneRoom(path, Person(laboratory), laboratory)
