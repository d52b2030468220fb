"""Counts that end below the declared full scale, one colour of a colour camera, simulated devices named."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from benchmarks.parts import Setting
from benchmarks.stranger_checks.case import StrangerCase
from calibration.camera import measure_camera
from calibration.exposure import Exposure, set_exposure
from calibration.packing import RightJustified
from calibration.step import CalibrationStep
from drivers.camera.bayer import PLANES, BayerPlane, BayerPlaneCamera, place_of
from drivers.camera.sfnc_settings import SfncOptions
from drivers.camera.webcam import Webcam, WebcamOptions
from drivers.camera.wrapper import CameraWrapper
from drivers.settings import CameraSettings
from drivers.types import Frame
from labdiff.bench.openers import camera_opener
from labdiff.config.bench import bench_text, parse_bench
from labdiff.reports.run_report import write_report
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings
from tests.contracts.ruled_camera import ColourRuledCamera, Node, RuledNodes

T = TypeVar("T")
STARTS_MS = (0.05, 2.0, 1000.0)
"""Exposures at which automatic exposure starts: dark, useful, hopelessly too long."""
FEWER = ((16, 12), (12, 10), (16, 8))
"""Bits that a camera declares, and those in which it converts."""
LEAST_BITS = 10
"""Bits from which counts resolve the light's own noise, by which the camera is measured."""
SLM, CAMERA = 'driver = "mock"\nshape = [144, 640]', 'driver = "mock"\nshape = [256, 320]'


def cases(setting: Setting) -> list[StrangerCase]:
    """Return the cases."""
    found = [
        StrangerCase(
            f"{bits} bits called {declared}, from {start:g} ms",
            partial(_fewer_bits, declared, bits, start),
        )
        for declared, bits in FEWER
        for start in STARTS_MS
    ]
    found += [
        StrangerCase(f"a well full at {level} of 4095", partial(_full_well, level))
        for level in (2540, 1300)
    ]
    found += [
        StrangerCase(f"a healthy camera, from {start:g} ms", partial(_healthy, start))
        for start in STARTS_MS
    ]
    found += [
        StrangerCase("an automatic gain", _automatic_gain),
        StrangerCase("camera.saturation_level beyond the bit depth", partial(_level_key, 5000)),
        StrangerCase("camera.saturation_level = 3900", partial(_level_key, 3900)),
    ]
    found += [
        StrangerCase(f"{plane} of a colour camera", partial(_plane, plane)) for plane in PLANES
    ]
    found += [
        StrangerCase("a colour camera without the key", partial(_colour, ("BayerRG12p",), False)),
        StrangerCase("one colour of interpolated ones", partial(_colour, ("RGB8",), True)),
        StrangerCase("one colour of a monochrome camera", partial(_colour, ("Mono12p",), True)),
        StrangerCase("one colour of a webcam", _webcam),
        StrangerCase("one colour, its place unknown", partial(_folder, "")),
        StrangerCase("one colour, its place by key", partial(_folder, 'bayer_pattern = "GR"\n')),
        StrangerCase("one colour of the simulated camera", _simulated_colour),
    ]
    found += [
        StrangerCase(f"a run says {sentence!r}", partial(_said, change, sentence))
        for change, sentence in (
            (
                (SLM, SLM.replace('"mock"', '"slmpy"\naddress = "a"')),
                "simulated: camera, laser (mock)",
            ),
            ((CAMERA, CAMERA.replace("mock", "basler")), "simulated: SLM, laser (mock)"),
            (('name = "mock"', 'name = "all"'), "simulated: all devices (mock)"),
        )
    ]
    return found


def _laboratory(declared: int, bits: int = 0, well: float = 2.0) -> MockLaboratory:
    settings = MockSettings(threads=1)
    camera = settings.camera.model_copy(update={"converter_bits": bits, "well": well})
    geometry = MockGeometry(
        *(850.0, 9.2, (64, 220), (48, 48), 8, (8, 64, 120), 5.7, 0.3, "slm_patch", (96, 96)),
        *(3.45, declared, 0.6),
    )
    lab = MockLaboratory.create(geometry, settings.model_copy(update={"camera": camera}), 0)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    return lab


def _result(routine: Generator[CalibrationStep, None, T]) -> T:
    while True:
        try:
            next(routine)
        except StopIteration as stop:
            found: T = stop.value
            return found


def _exposed(lab: MockLaboratory, start_ms: float, target: float = 0.5) -> Exposure:
    lab.camera.exposure_ms = start_ms
    return _result(set_exposure(lab.camera, lab.world.truth.pedestal_counts, target, lab.laser))


def _useful(lab: MockLaboratory, found: Exposure, level: float, target: float) -> bool:
    """Return whether the hidden level was taken, and the light is now well below it, with no more power."""
    pedestal = lab.world.truth.pedestal_counts
    top = float(np.quantile(lab.camera.get_frame().pixels, 0.999))
    fill = (top - pedestal) / (level - pedestal)
    return (
        abs(found.saturation_counts / level - 1.0) < 0.02
        and 0.8 * target < fill < 1.2 * target
        and f"camera.saturation_level = {found.saturation_counts:.0f}" in found.verdict.remedy
        and "power" not in found.verdict.remedy
        and lab.laser.power_mw <= 10.0
    )


def _fewer_bits(declared: int, bits: int, start_ms: float) -> bool:
    lab = _laboratory(declared, bits)
    found = _exposed(lab, start_ms)
    camera = _result(measure_camera(RightJustified(lab.camera), lab.world.truth.pedestal_counts))
    if bits < LEAST_BITS:
        return _useful(lab, found, 2**bits - 1, 0.5)
    named = f"camera.saturation_level = {2**bits - 1}" in camera.verdict.remedy
    return _useful(lab, found, 2**bits - 1, 0.5) and named


def _full_well(level: int) -> bool:
    lab = _laboratory(12, well=level / 4096.0 - 0.02)
    # The target is above the level: what fills it is saturation, or nothing is.
    return _useful(lab, _exposed(lab, 200.0, target=0.9), level, 0.9)


def _healthy(start_ms: float) -> bool:
    found = _exposed(_laboratory(12), start_ms)
    return (
        found.verdict.level == "pass" and not found.saturation_counts and 0.5 <= found.fill <= 0.55
    )


class _HeldCounts(CameraWrapper):
    """A camera whose brightest pixel always has the same count."""

    def converted(self, frame: Frame) -> Frame:
        pixels = frame.pixels.astype(np.float64)
        return Frame(
            (pixels * (2000.0 / pixels.max())).astype(np.uint16),
            frame.exposure_ms,
            frame.timestamp_s,
            frame.sequence,
            frame.pattern_id,
            0.0,
            frame.roi,
        )


def _automatic_gain() -> bool:
    lab = _laboratory(12)
    _result(set_exposure(_HeldCounts(lab.camera), 0.0)).verdict.require("exposure")
    return False


def _bench(camera: str) -> str:
    return bench_text("mock")[1].replace(CAMERA, camera, 1)


def _level_key(level: int) -> bool:
    text = _bench(f"{CAMERA}\nsaturation_level = {level}")
    return parse_bench(text, "bench.toml").camera.saturation_level == 3900


def _colour_camera(formats: tuple[str, ...], one_colour: bool) -> ColourRuledCamera:
    nodes = RuledNodes(("FrameStart",), True, ("Default",))
    nodes.nodes["PixelFormat"] = Node(nodes, "PixelFormat", formats[0], symbolics=formats)
    return ColourRuledCamera(nodes, "FrameStart", SfncOptions(), one_colour=one_colour)


def _plane(plane: BayerPlane) -> bool:
    real = _colour_camera(("BayerGR12p",), True)
    whole = real.get_frame().pixels
    if real.bayer_pattern is None:
        return False
    row, column = place_of(plane, real.bayer_pattern)
    camera = BayerPlaneCamera(real, plane, real.bayer_pattern)
    return np.array_equal(camera.get_frame().pixels, whole[row::2, column::2])


def _colour(formats: tuple[str, ...], one_colour: bool) -> bool:
    _colour_camera(formats, one_colour)
    return False


def _webcam() -> bool:
    Webcam.from_settings(CameraSettings("0", 8, WebcamOptions(), one_colour=True))
    return False


def _folder(pattern: str) -> bool:
    raw = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    with tempfile.TemporaryDirectory() as folder:
        Image.fromarray(raw).save(Path(folder, "raw.png"))
        text = _bench(
            f"driver = \"folder\"\noptions.image_folder = '{folder}'\nshape = [8, 8]\n"
            f'bayer_plane = "red"\n{pattern}'
        )
        camera = camera_opener(parse_bench(text, "bench.toml"))()
        pixels = camera.get_frame().pixels
        camera.close()
    return np.array_equal(pixels, raw[0::2, 1::2])


def _simulated_colour() -> bool:
    parse_bench(_bench(f'{CAMERA}\nbayer_plane = "red"'), "bench.toml")
    return False


def _said(change: tuple[str, str], sentence: str) -> bool:
    """Return whether a run's file and its report say what of its bench was simulated."""
    text = bench_text("mock")[1].replace(*change, 1)
    with tempfile.TemporaryDirectory() as folder:
        Recorder(Path(folder, "run.h5"), text, "{}", 0).close()
        run = read_run(Path(folder, "run.h5"))
        page = write_report(run, Path(folder, "report.html")).read_text(encoding="utf-8")
    return run.simulated == sentence and sentence in page
