"""GenICam cameras with rules of access, packed formats, windows in steps, bit depths."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.parts import Setting
from benchmarks.stranger_checks.case import StrangerCase
from drivers.camera.bit_packing import KNOWN, bits_of, unpack
from drivers.camera.sfnc_settings import SfncOptions
from drivers.types import Roi
from labdiff.config.bench import bench_text, parse_bench
from tests.contracts.packed_pixels import packed
from tests.contracts.ruled_camera import LEFT, RuledCamera, RuledNodes

SPINNAKER = ("AcquisitionStart", "FrameStart", "FrameBurstStart")
IDS = ("AcquisitionStart", "ExposureStart", "ReadOutStart")
FACTORY = ("Default", "UserSet1")
SHAPE = (6, 8)


def cases(setting: Setting) -> list[StrangerCase]:
    """Return the cases."""
    found = [
        StrangerCase(f"{name}, source {'locked' if locks else 'free'} while on", act)
        for name, selectors, main in (
            ("FrameStart", SPINNAKER, "FrameStart"),
            ("ExposureStart", IDS, "ExposureStart"),
            ("no trigger of frames", ("AcquisitionStart", "LineStart"), "FrameStart"),
        )
        for locks in (True, False)
        for act in (partial(_frames_come, selectors, main, locks),)
    ]
    found += [
        StrangerCase(f"left by a viewer, user sets {sets}", partial(_nothing_left, sets))
        for sets in (FACTORY, ("UserSet1",), ())
    ]
    found += [StrangerCase(f"format {name}", partial(_round_trips, name)) for name in KNOWN]
    if find_spec("harvesters") is None:
        setting.leave_out("packed formats through harvesters, which is not installed")
    else:
        found += [
            StrangerCase(f"{name} through harvesters", partial(_harvested, name))
            for name in KNOWN
            if "IDS" not in name
        ]
    found.append(StrangerCase("a colour camera", _colour))
    found += [
        StrangerCase(f"camera.bit_depth = {bits}", partial(_bench_takes, bits))
        for bits in (8, 9, 11, 13, 15, 16, 17)
    ]
    return found


def _frames_come(selectors: tuple[str, ...], main: str, locks_source: bool) -> bool:
    nodes = RuledNodes(selectors, locks_source, FACTORY)
    camera = RuledCamera(nodes, main, SfncOptions(trigger_line="Line3"))
    whole = camera.get_frame().pixels.shape == (64, 96)
    with camera.triggered(4):
        armed = nodes.of_trigger(main) == {"TriggerMode": "On", "TriggerSource": "Line3"}
    camera.roi = Roi(9, 17, 5, 20)
    return whole and armed and camera.get_frame().pixels.shape == (5, 20)


def _nothing_left(user_sets: tuple[str, ...]) -> bool:
    nodes = RuledNodes(SPINNAKER, True, user_sets)
    RuledCamera(nodes, "FrameStart", SfncOptions())
    return all(nodes(name).value != value for name, value in LEFT.items())


def _round_trips(pixel_format: str) -> bool:
    pixels = _pixels(pixel_format)
    found = unpack(packed(pixels.reshape(-1), pixel_format), pixel_format, SHAPE)
    return bool(np.array_equal(found, pixels))


def _harvested(pixel_format: str) -> bool:
    from harvesters.util.pfnc import Dictionary

    from drivers.camera.genicam import as_grabbed

    pixels = _pixels(pixel_format)
    proxy = Dictionary.get_proxy(symbolic=pixel_format)
    grabbed = as_grabbed(proxy.expand(packed(pixels.reshape(-1), pixel_format)), SHAPE, 0)
    sent = "Mono16" if grabbed.unpacked else pixel_format
    return bool(np.array_equal(unpack(grabbed.buffer, sent, SHAPE), pixels))


def _pixels(pixel_format: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint16]]:
    rng = np.random.default_rng(3)
    return rng.integers(0, 2 ** bits_of(pixel_format), SHAPE).astype(np.uint16)


def _colour() -> bool:
    nodes = RuledNodes(SPINNAKER, True, FACTORY)
    nodes.nodes["PixelFormat"].symbolics = ("BayerRG8", "BayerRG12p", "RGB8")
    RuledCamera(nodes, "FrameStart", SfncOptions())
    return False


def _bench_takes(bits: int) -> bool:
    text = bench_text("mock")[1].replace("bit_depth = 12 ", f"bit_depth = {bits} ", 1)
    return parse_bench(text, "bench.toml").camera.bit_depth == bits
