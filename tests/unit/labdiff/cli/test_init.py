"""`labdiff init`: without a terminal as ever; in one it asks; from devices it writes what is attached."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from drivers.discovery.found import Answer, Attached
from labdiff.config.bench import bench_text, load_bench, parse_bench
from labdiff.config.bench_draft import BenchDraft, DraftDevice, Pixels
from tests.contracts.live_stream import LiveStream
from tests.support.command_line import Ended, labdiff

PANEL = Attached("slm", "screen", "monitor HDMI-1", {"address": "serial=6010"}, "", (1080, 1920))
PRIMARY = Attached("slm", "screen", "monitor eDP-1", {"address": "name=eDP-1"}, "it is the primary")
CAMERAS = tuple(
    Attached("camera", "basler", f"Basler acA {serial}", {"serial": serial})
    for serial in ("11", "22")
)
DEMO = Attached("camera", "micromanager", "DemoCamera", {"options.device": "DCam"}, seen=False)
OBIS = Attached("laser", "obis", "Coherent OBIS 660", {"address": "ASRL1::INSTR"})
PORT = Attached("instrument", "scpi_laser", "port ttyS0", {"address": "ASRL0::INSTR"}, seen=False)
METER = Attached("meter", "pm100", "Thorlabs PM100D", {"address": "USB0::1::INSTR"})

Init = Callable[..., Ended]


class Keyboard(io.StringIO):
    """What a person types in a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Run it among devices that are attached, with what a person types; None: without a terminal."""

    def run(*arguments: str, found: Sequence[Attached] = (), typed: str | None = None) -> Ended:
        answers = [Answer("pylon", tuple(found)), Answer("visa", (), "did not answer in 10 s")]
        monkeypatch.setattr("drivers.discovery.search.search", lambda _s, _ends: answers)
        monkeypatch.setattr("sys.stdin", io.StringIO() if typed is None else Keyboard(typed))
        return labdiff("init", *arguments, cwd=tmp_path)

    return run


def test_without_a_terminal_it_writes_the_shipped_bench(init: Init, tmp_path: Path) -> None:
    assert init("a.toml", found=(PANEL,)).returncode == 0
    assert (tmp_path / "a.toml").read_text(encoding="utf-8") == bench_text("mock")[1]


def test_enter_alone_writes_the_shipped_bench_where_nothing_is_attached(
    init: Init, tmp_path: Path
) -> None:
    asked = init("a.toml", found=(PRIMARY, DEMO, PORT), typed="\n\n\n")
    assert asked.returncode == 0, asked.stderr
    assert (tmp_path / "a.toml").read_text(encoding="utf-8") == bench_text("mock")[1]


def test_from_devices_writes_what_is_attached_and_comments_the_rest(
    init: Init, tmp_path: Path
) -> None:
    found = (PRIMARY, PANEL, DEMO, OBIS, PORT, METER)
    done = init("lab.toml", "--from-devices", found=found)
    assert done.returncode == 0, done.stderr
    config = load_bench(str(tmp_path / "lab.toml"))
    assert (config.slm.driver, config.slm.address) == ("screen", "serial=6010")
    assert config.slm.shape == (1080, 1920) and config.name == "lab"
    assert (config.laser.driver, config.laser.address) == ("obis", "ASRL1::INSTR")
    assert config.camera.driver == "none"
    text = (tmp_path / "lab.toml").read_text(encoding="utf-8")
    assert '# driver = "micromanager"' in text and "# DemoCamera: is it this one?" in text
    assert "PM100" not in text and "eDP-1" not in text
    assert "did not answer in 10 s" in done.stderr and "lab.toml --dark" in done.stdout


def test_two_candidates_are_refused_by_name_or_chosen(init: Init, tmp_path: Path) -> None:
    refused = init("a.toml", "--from-devices", found=CAMERAS)
    assert refused.returncode == 2 and not (tmp_path / "a.toml").exists()
    assert "2 devices could be the camera: Basler acA 11; Basler acA 22. Name one" in refused.stderr
    assert init("b.toml", "--from-devices", "--use", "22", found=CAMERAS).returncode == 0
    assert load_bench(str(tmp_path / "b.toml")).camera.serial == "22"
    asked = init("c.toml", "--from-devices", found=CAMERAS, typed="5\n2\n")
    assert asked.returncode == 0 and "5: none of these; give 1 ... 3" in asked.stderr
    assert load_bench(str(tmp_path / "c.toml")).camera.serial == "22"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("33", "--use 33: fits no attached device; attached are Basler acA 11"),
        ("acA", "--use acA: fits Basler acA 11; Basler acA 22; give more of it"),
        ("PM100", "no measurement needs a power meter"),
    ],
)
def test_a_name_that_chooses_nothing_is_refused(init: Init, use: str, message: str) -> None:
    refused = init("a.toml", "--from-devices", "--use", use, found=(*CAMERAS, METER))
    assert refused.returncode == 2 and message in refused.stderr


def test_a_name_takes_an_instrument_for_the_laser(init: Init, tmp_path: Path) -> None:
    assert init("a.toml", "--from-devices", "--use", "ttyS0", found=(PORT,)).returncode == 0
    laser = load_bench(str(tmp_path / "a.toml")).laser
    assert (laser.driver, laser.address) == ("scpi_laser", "ASRL0::INSTR")


def test_a_person_names_drivers_and_what_no_device_tells(init: Init, tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    with LiveStream() as stream:
        typed = (
            f"slmpy\n10.0.0.2:9999\nwebcam\n{stream.address}\nmanual\n9.2\n\n632,8\nmuch\n5\n\n3\n"
        )
        asked = init("a.toml", typed=typed)
    assert asked.returncode == 0, asked.stderr
    config = load_bench(str(tmp_path / "a.toml"))
    assert (config.slm.driver, config.slm.address) == ("slmpy", "10.0.0.2:9999")
    assert config.slm.pixel_pitch_um == 9.2 and config.cavity.z_gap_mm == 3.0
    assert (config.camera.driver, config.camera.shape, config.camera.bit_depth) == (
        "webcam",
        (48, 64),
        8,
    )
    assert config.laser.driver == "manual" and config.laser.power_mw == 5.0
    assert config.source.wavelength_nm == 632.8
    assert "much: a number between 0 and 100000 is needed" in asked.stderr
    assert "CHECK: vacuum" not in (tmp_path / "a.toml").read_text(encoding="utf-8")


def test_an_input_that_ends_writes_nothing(init: Init, tmp_path: Path) -> None:
    ended = init("a.toml", found=(PANEL,), typed="\n")
    assert ended.returncode == 2 and "nothing was written" in ended.stderr
    assert not (tmp_path / "a.toml").exists()


@pytest.mark.parametrize("shape", [(1, 5), (64, 160), (1080, 1920), (2464, 4160), (1272, 1024)])
@pytest.mark.parametrize("dmd", [None, DraftDevice("dmd_alp")])
def test_patches_fit_on_every_panel(shape: tuple[int, int], dmd: DraftDevice | None) -> None:
    draft = BenchDraft("a", dmd=dmd, panel=Pixels(shape, 8.0, 8))
    config = parse_bench(draft.text(), "a.toml")
    assert config.layers == 4 and config.slm.shape == shape


def test_a_title_from_outside_stays_in_its_comment() -> None:
    camera = DraftDevice("basler", 'x\n[laser]\ndriver = "obis"', {"serial": "a\"'\n\x7f\\"})
    config = parse_bench(BenchDraft('a "b"', camera=camera).text(), "a.toml")
    assert config.laser.driver == "none" and config.camera.serial == "a\"' ?\\"
