"""One filter's pixels of a colour camera: which they are, with windows, in every layout; refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drivers.camera.bayer import (
    PATTERNS,
    PLANES,
    BayerPattern,
    BayerPlane,
    BayerPlaneCamera,
    ColourCamera,
    place_of,
)
from drivers.camera.bit_packing import KNOWN, bits_of, unpack
from drivers.camera.sfnc_settings import SfncOptions
from drivers.camera.webcam import Webcam, WebcamOptions
from drivers.errors import DeviceValueError
from drivers.settings import CameraSettings
from drivers.types import Roi
from labdiff.bench.open import open_bench
from labdiff.bench.openers import camera_opener
from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from labdiff.errors import UserError
from tests.contracts.packed_pixels import packed
from tests.contracts.ruled_camera import AccessError, ColourRuledCamera, Node, RuledNodes

COLOURS = ("BayerGB8", "BayerGB12p", "RGB8")
SELECTORS = ("FrameStart",)
SHAPE = (64, 96)


def nodes(formats: tuple[str, ...] = COLOURS) -> RuledNodes:
    """Return the node map of a colour camera."""
    made = RuledNodes(SELECTORS, True, ("Default",))
    made.nodes["PixelFormat"] = Node(made, "PixelFormat", formats[0], symbolics=formats)
    return made


def filters(pattern: BayerPattern) -> np.ndarray[tuple[int, int], np.dtype[np.str_]]:
    """Return the filter of each pixel of a square, as the pattern's name and Bayer's rule have it."""
    first = {"RG": ("R", "G"), "GR": ("G", "R"), "GB": ("G", "B"), "BG": ("B", "G")}[pattern]
    other = "B" if "R" in first else "R"
    second = ("G", other) if first[0] != "G" else (other, "G")
    return np.array([first, second])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_places_of_the_filters(pattern: BayerPattern) -> None:
    square = filters(pattern)
    seen = {plane: str(square[place_of(plane, pattern)]) for plane in PLANES}
    assert seen == {"red": "R", "green1": "G", "green2": "G", "blue": "B"}
    assert len({place_of(plane, pattern) for plane in PLANES}) == 4
    assert place_of("green1", pattern)[0] == place_of("red", pattern)[0]
    assert place_of("green2", pattern)[0] == place_of("blue", pattern)[0]


@pytest.mark.parametrize("plane", PLANES)
def test_a_genicam_cameras_plane_and_its_windows(plane: BayerPlane) -> None:
    real = ColourRuledCamera(nodes(), "FrameStart", SfncOptions(trigger_line="Line3"))
    assert isinstance(real, ColourCamera) and real.bayer_pattern == "GB"
    whole = real.get_frame().pixels
    camera = BayerPlaneCamera(real, plane, "GB")
    assert camera.shape == (SHAPE[0] // 2, SHAPE[1] // 2)
    row, column = place_of(plane, "GB")
    expected = whole[row::2, column::2]
    frame = camera.get_frame()
    np.testing.assert_array_equal(frame.pixels, expected)
    assert frame.roi == camera.roi == Roi(0, 0, *camera.shape)
    camera.roi = window = Roi(5, 7, 11, 13)  # in steps of 8 on the camera's side
    frame = camera.get_frame()
    np.testing.assert_array_equal(frame.pixels, expected[5:16, 7:20])
    assert frame.roi == camera.roi == window
    assert frame.saturated_fraction == (frame.pixels == 4095).mean()
    assert plane in camera.name
    with pytest.raises(DeviceValueError, match="does not fit"):
        camera.roi = Roi(0, 0, camera.shape[0] + 1, 4)


@pytest.mark.parametrize("mono", KNOWN)
def test_a_colour_format_is_laid_out_as_the_monochrome_one(mono: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 2 ** bits_of(mono), (6, 8)).astype(np.uint16)
    name = mono.replace("Mono", "BayerRG")
    assert bits_of(name) == bits_of(mono)
    np.testing.assert_array_equal(unpack(packed(pixels.reshape(-1), mono), name, (6, 8)), pixels)


def test_a_colour_camera_without_the_key_is_refused_with_it() -> None:
    with pytest.raises(
        DeviceValueError, match=r"only colours: BayerGB8.*camera\.bayer_plane = "
    ) as said:
        ColourRuledCamera(nodes(), "FrameStart", SfncOptions(), one_colour=False)
    assert '"green1"' in str(said.value)


def test_a_monochrome_camera_with_the_key_is_refused() -> None:
    for formats in (("Mono8", "Mono12p"), ("RGB8", "YUV422_8")):
        with pytest.raises(DeviceValueError, match=r"Leave camera\.bayer_plane out"):
            ColourRuledCamera(nodes(formats), "FrameStart", SfncOptions())


def test_binning_mixes_colours() -> None:
    with pytest.raises(DeviceValueError, match=r"binning = 2 mixes colours; leave it out"):
        ColourRuledCamera(nodes(), "FrameStart", SfncOptions(binning=2))


def test_white_balance_is_off_and_even() -> None:
    made = nodes()
    for name, value, choices in (
        ("BalanceWhiteAuto", "Continuous", ("Off", "Continuous")),
        ("BalanceRatioSelector", "Red", ("Red", "Blue")),
        ("BalanceRatio", 1.7, None),
    ):
        made.nodes[name] = Node(made, name, value, symbolics=choices)
    ColourRuledCamera(made, "FrameStart", SfncOptions())
    assert made("BalanceWhiteAuto").value == "Off"
    assert made("BalanceRatio").value == 1.0
    with pytest.raises(AccessError):
        made("NoSuchNode")


def test_a_webcam_says_how_it_is_done_there() -> None:
    settings = CameraSettings("0", 8, WebcamOptions(), one_colour=True)
    with pytest.raises(DeviceValueError, match=r'camera\.options\.channel = "green"'):
        Webcam.from_settings(settings)


def raw_images(folder: Path) -> str:
    """Write an image as a colour camera sends it, and return the section of a camera that plays it."""
    raw = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    Image.fromarray(raw).save(folder / "raw.png")
    return f'driver = "folder"\noptions.image_folder = "{folder.as_posix()}"\nshape = [8, 8]'


def bench_of(section: str, *keys: str) -> BenchConfig:
    text = bench_text("mock")[1]
    text = text.replace('[slm]\ndriver = "mock"', '[slm]\ndriver = "none"', 1)
    camera = "\n".join([section, *keys])
    return parse_bench(text.replace('driver = "mock"\nshape = [256, 320]', camera, 1), "bench.toml")


def test_a_driver_that_knows_no_pattern_needs_the_key(tmp_path: Path) -> None:
    section = raw_images(tmp_path)
    config = bench_of(section, 'bayer_plane = "blue"')
    assert config.camera.used_shape == (4, 4)
    assert config.camera.used_pitch_um == 2.0 * config.camera.pixel_pitch_um
    with pytest.raises(UserError, match=r"does not report the order.*camera\.bayer_pattern"):
        camera_opener(config)()
    config = bench_of(section, 'bayer_plane = "blue"', 'bayer_pattern = "RG"')
    camera = camera_opener(config)()
    pixels = camera.get_frame().pixels
    np.testing.assert_array_equal(pixels, np.arange(64).reshape(8, 8)[1::2, 1::2] * 60)
    camera.close()


def test_a_shape_that_is_not_the_sensors_is_named(tmp_path: Path) -> None:
    section = raw_images(tmp_path).replace("shape = [8, 8]", "shape = [4, 4]")
    config = bench_of(section, 'bayer_plane = "blue"', 'bayer_pattern = "RG"')
    with pytest.raises(UserError, match=r"are 4 x 4: set camera\.shape = \[8, 8\]"):
        open_bench(config, 0)


def test_the_simulated_camera_has_no_filters() -> None:
    with pytest.raises(
        UserError, match=r"camera\.bayer_plane = 'red': the simulated camera is mono"
    ):
        bench_of('driver = "mock"\nshape = [256, 320]', 'bayer_plane = "red"')
