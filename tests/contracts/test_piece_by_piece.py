"""A bench on its first day: checked, watched and calibrated as far as its devices go, in words else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calibration.archive import CalibrationArchive
from drivers.operator import operated_by
from labdiff.engine.commands import Calibrate, Connect, SetEmission, SetLive, ShowPhase
from tests.contracts.hene_room import hene_room
from tests.contracts.peers import SlmPyServer
from tests.contracts.test_bring_up import BENCH, SHAPE, Person
from tests.support.command_line import labdiff
from tests.support.scripted_window import ScriptedWindow

SENSOR = (48, 64)
NO_SLM = 'an SLM (none here: slm.driver = "none")'
NO_CAMERA = 'a camera (none here: camera.driver = "none")'
BY_HAND = 'driver = "none"'
SIMULATED = 'driver = "mock"'


def written(folder: Path, slm: str, camera: str, laser: str) -> Path:
    path = folder / "bench.toml"
    path.write_text(BENCH.format(slm=slm, camera=camera, laser=laser), encoding="utf-8")
    return path


def folder_camera(folder: Path, level: int = 20) -> str:
    images = folder / "images"
    images.mkdir()
    noise = np.random.default_rng(0).integers(0, 4, (3, *SENSOR))
    for number, pixels in enumerate((level + noise).astype(np.uint8)):
        Image.fromarray(pixels).save(images / f"{number}.png")
    return f"driver = \"folder\"\noptions.image_folder = '{images}'"


def test_a_camera_alone_is_checked_watched_and_calibrated_in_the_dark(tmp_path: Path) -> None:
    path = written(tmp_path, 'driver = "none"', folder_camera(tmp_path), BY_HAND)
    person = Person()
    with operated_by(person):
        checked = labdiff("bench", "check", path.name, cwd=tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert f"not checked with {NO_SLM}" in checked.stdout
        assert (
            "next: look at frames" in checked.stdout and NO_SLM in checked.stdout.splitlines()[-1]
        )
        window = ScriptedWindow().play(Connect(str(path)), SetLive(True), 3, SetEmission(True), 2)
        assert len(window.frames) >= 4 and not window.errors
        done = labdiff("calibrate", "--bench", path.name, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1])["verdicts"]) == {"dark level", "camera"}
    assert f"registration: needs {NO_SLM}" in done.stderr
    assert person.requests[-1].device == "laser", "the beam is blocked at the end"


def test_what_needs_an_slm_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    path = written(tmp_path, 'driver = "none"', folder_camera(tmp_path), BY_HAND)
    person = Person()
    with operated_by(person):
        for command in (
            ("calibrate", "--bench", path.name, "--only", "registration"),
            ("train", "--bench", path.name, "--out", "run"),
        ):
            refused = labdiff(*command, cwd=tmp_path)
            assert refused.returncode == 2
            assert f"' needs {NO_SLM}" in refused.stderr, refused.stderr
    assert not person.requests


def test_an_slm_alone_is_checked_and_displays_patterns(tmp_path: Path) -> None:
    with SlmPyServer(SHAPE) as server:
        slm = f'driver = "slmpy"\naddress = "127.0.0.1:{server.port}"'
        path = written(tmp_path, slm, 'driver = "none"', SIMULATED)
        checked = labdiff("bench", "check", path.name, cwd=tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stdout.splitlines()[-1].startswith("next: display patterns")
        turned = np.full(SHAPE, np.pi, np.float32)
        window = ScriptedWindow().play(Connect(str(path)), ShowPhase(turned), SetLive(True), 2)
        assert any(picture.max() == 128 for picture in server.pictures)
        assert window.errors == [
            'no camera: this bench has none (camera.driver = "none"), and a frame was to be taken. '
            "The live view is off."
        ]
        refused = labdiff("calibrate", "--bench", path.name, cwd=tmp_path)
        assert refused.returncode == 2
        assert refused.stderr.count(f"'dark level' needs {NO_CAMERA}") == 1


def test_a_real_camera_beside_a_simulated_slm_shows_what_it_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYLON_CAMEMU", "1")
    path = written(tmp_path, SIMULATED, 'driver = "basler"', SIMULATED)
    text = path.read_text(encoding="utf-8").replace("shape = [48, 64]", "shape = [4096, 4096]")
    path.write_text(text, encoding="utf-8")
    checked = labdiff("bench", "check", path.name, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "camera: takes frames: mean" in checked.stdout
    assert "an SLM (simulated here, and lights no real camera)" in checked.stdout
    window = ScriptedWindow().play(
        Connect(str(path)),
        SetLive(True),
        1,
        SetLive(False),
        Calibrate(("registration",)),
        Calibrate(),
    )
    assert window.frames[0].pixels.shape == (4096, 4096)
    # The emulator's picture is bright, and no laser of this bench can darken it.
    refused, failed = window.errors
    assert (
        "'registration' needs an SLM (simulated here, and lights no real camera) and a laser"
        in refused
    )
    assert failed.startswith("dark level: 96 counts with the laser off")
    assert (
        window.findings["registration"] == "left out" and window.findings["dark level"] == "never"
    )


def test_a_hene_bench_is_calibrated_by_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hene_room(tmp_path, monkeypatch) as room, operated_by(room.person):
        checked = labdiff("bench", "check", room.bench.name, cwd=tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stdout.count("BY HAND") == 0 and "frames follow patterns" in checked.stdout
        assert not room.laboratory.laser.emission
        window = ScriptedWindow().play(
            Connect(str(room.bench)), SetEmission(True), SetLive(True), 2
        )
        assert window.frames and not room.laboratory.laser.emission
        assert len(window.errors) == 1 and "NOT guarded" in window.errors[0]
        only = [f"--only={name}" for name in ("dark level", "registration", "exposure")]
        done = labdiff("calibrate", "--bench", room.bench.name, *only, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert not room.laboratory.laser.emission
    stored = CalibrationArchive(tmp_path / "hene.calibration").latest("registration")
    assert stored is not None and "as told by the operator" in stored.provenance.devices["laser"]


def test_a_person_who_does_not_block_the_beam_is_found_out_by_the_light(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hene_room(tmp_path, monkeypatch) as room, operated_by(room.person):
        room.person.obeys = False
        checked = labdiff("bench", "check", room.bench.name, cwd=tmp_path)
    assert checked.returncode == 2 and "no light reaches the camera" in checked.stdout, (
        checked.stdout
    )
