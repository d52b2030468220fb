"""What `labdiff bench check` says of benches that are well, and of those that have one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from calibration.layout import PatchLayout
from drivers.camera.wrapper import CameraWrapper
from drivers.protocols import Camera
from drivers.types import CountArray, Frame
from labdiff.bench.bench import Bench
from labdiff.bench.check_devices import CheckFinding, check_devices
from labdiff.bench.check_light import check_light
from labdiff.bench.devices import BenchDevices
from labdiff.config.bench import bench_text, parse_bench
from mock_hardware.fault_script import FOR_EVER, Fault
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings
from tests.contracts.peers import SlmPyServer
from tests.support.command_line import labdiff

LEFTS = (2, 22, 42)


class TwelveBitsInSixteen(CameraWrapper):
    """A camera whose 12-bit counts are called 16-bit ones."""

    @property
    def bit_depth(self) -> int:
        return 16


class EndsAt2540(CameraWrapper):
    """A camera that clips its counts below the largest of its bit depth."""

    def converted(self, frame: Frame) -> Frame:
        pixels = np.minimum(frame.pixels, 2540).astype(np.uint16)
        return with_pixels(frame, pixels)


class AutomaticGain(CameraWrapper):
    """A camera whose brightest pixel has always the same count."""

    def converted(self, frame: Frame) -> Frame:
        pixels = frame.pixels.astype(np.float64)
        return with_pixels(frame, (pixels * 2000.0 / max(pixels.max(), 1.0)).astype(np.uint16))


def with_pixels(frame: Frame, pixels: CountArray) -> Frame:
    """Return a frame with other pixels, of which none is taken as saturated."""
    return Frame(
        pixels,
        frame.exposure_ms,
        frame.timestamp_s,
        frame.sequence,
        frame.pattern_id,
        0.0,
        frame.roi,
    )


def checked(
    fault: Fault | None = None, camera: Callable[[Camera], Camera] = lambda camera: camera
) -> list[CheckFinding]:
    """Check the light of a small simulated bench; the laser is off afterwards."""
    geometry = MockGeometry(
        850.0, 9.2, (24, 60), (16, 16), 4, LEFTS, 2.0, 0.1, "slm_patch", (24, 24), 3.45, 12, 0.4
    )
    lab = MockLaboratory.create(geometry, MockSettings(threads=1).off(), 0)
    if fault is not None:
        lab.world.faults.add(fault, 1, FOR_EVER)
    layout = PatchLayout((24, 60), (16, 16), 4, LEFTS, 9.2, 850.0, 4.0)
    devices = BenchDevices(lab.slm, camera(lab.camera), lab.laser, lab.world.clock, None)
    bench = Bench(layout, devices)
    findings = list(check_light(bench))
    assert not lab.laser.emission
    bench.close()
    return findings


def wrong(findings: list[CheckFinding]) -> list[CheckFinding]:
    return [finding for finding in findings if finding.level == "wrong"]


def test_on_a_bench_that_is_well_light_counts_and_frames_follow() -> None:
    assert [(finding.device, finding.level) for finding in checked()] == [
        ("camera", "ok"),
        ("laser", "ok"),
        ("camera", "ok"),
        ("slm", "ok"),
    ]


@pytest.mark.parametrize(
    ("fault", "device", "message"),
    [
        ("beam_blocked", "laser", "no light reaches the camera"),
        ("slm_frozen", "bench", "check that the SLM is not frozen"),
    ],
)
def test_what_does_not_follow_is_named(fault: Fault, device: str, message: str) -> None:
    (finding,) = wrong(checked(fault))
    assert finding.device == device and message in finding.message


@pytest.mark.parametrize(
    ("camera", "message", "remedy"),
    [
        (TwelveBitsInSixteen, "counts stop rising at 4095 of 65535", "camera.bit_depth = 12"),
        (EndsAt2540, "counts stop rising at 2540 of 4095", "camera.saturation_level = 2540"),
        (AutomaticGain, "half the exposure gives", "automatic gain"),
    ],
)
def test_a_camera_whose_counts_are_no_measure_of_light_is_named(
    camera: Callable[[Camera], Camera], message: str, remedy: str
) -> None:
    (finding,) = [each for each in wrong(checked(camera=camera)) if each.device == "camera"][:1]
    assert message in finding.message and remedy in finding.remedy


def test_declared_is_compared_with_found() -> None:
    with SlmPyServer((24, 32)) as server:
        text = bench_text("mock-small")[1].replace('driver = "mock"', 'driver = "slmpy"', 1)
        text = text.replace(
            'driver = "slmpy"', f'driver = "slmpy"\naddress = "127.0.0.1:{server.port}"'
        )
        findings = list(check_devices(parse_bench(text, "bench.toml")))
    notes = [finding.device for finding in findings if finding.level == "note"]
    assert {"laser", "camera"} <= set(notes)
    assert any(finding.device == "slm" and finding.level == "ok" for finding in findings)


def test_the_command_ends_with_what_to_do_next(tmp_path: Path) -> None:
    done = labdiff("bench", "check", "mock-small", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "next: labdiff calibrate --bench mock-small"
    text = bench_text("mock-small")[1].replace('driver = "mock"', 'driver = "none"', 1)
    (tmp_path / "bench.toml").write_text(text.replace('driver = "none"', 'driver = "nome"', 1))
    done = labdiff("bench", "check", "bench.toml", "--json", cwd=tmp_path)
    assert done.returncode == 2
    found = json.loads(done.stdout)
    assert found["next"].startswith("mend what is marked WRONG")
    assert "Did you mean 'none'?" in found["findings"][1]["message"]
