"""Presets in the window: saved, applied with the checks of each single action, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from drivers.types import Roi
from gui.event_router import EventRouter
from gui.panels.panel_set import PanelSet
from gui.presets import Presets
from labdiff.config.device_preset import preset_folder, preset_names, read_preset
from labdiff.engine import commands as ask
from labdiff.engine.status import BenchState, DeviceState, JobState, PatternDisplayed, Setting

PANEL, SENSOR = (8, 12), (40, 50)


def state(power_mw: float = 2.0, exposure_ms: float = 1.5) -> BenchState:
    camera = (
        Setting("exposure", exposure_ms, exposure_ms, "ms", 0.01, 100.0),
        Setting("gain", 3.0, 3.0, "dB", 0.0, 12.0),
    )
    laser = (Setting("power", power_mw, power_mw, "mW", 0.0, 50.0),)
    return BenchState(
        "mock",
        (
            DeviceState("camera", "mock", "camera", True, camera),
            DeviceState("laser", "mock", "laser", True, laser),
        ),
        emission=False,
        live=False,
        sensor_shape=SENSOR,
        bit_depth=8,
        full_scale_counts=255,
        panel_shape=PANEL,
        patch_shape=(4, 4),
        pixel_pitch_um=8.0,
        wavelength_nm=850.0,
        roi=Roi(1, 2, 10, 20),
    )


class Desk:
    """Panels, the presets on them, and what was sent and refused."""

    def __init__(self, folder: Path) -> None:
        self.panels = PanelSet.create("mock", folder, 0)
        self.router = EventRouter(self.panels)
        self.sent: list[ask.Command] = []
        self.notices: list[str] = []
        self.presets = Presets(self.panels, self.router, self.sent.append, self.notices.append)
        self.panels.bench.power_wanted.connect(lambda mw: self.sent.append(ask.SetPower(mw)))
        self.box = self.panels.bench.presets

    def connect(self, bench: BenchState) -> None:
        self.router.route(bench, {})

    def question(self) -> QDialog | None:
        window: QWidget = self.box.window()
        return next((d for d in window.findChildren(QDialog) if d.isVisible()), None)

    def answer(self, button: str) -> None:
        dialog = self.question()
        assert dialog is not None
        found = dialog.findChild(QPushButton, button)
        assert found is not None
        found.click()


@pytest.fixture(scope="module")
def shared(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def desk(
    qtbot: QtBot, shared: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("LABDIFF_CONFIG", str(tmp_path / "settings"))
    shared.router.reset()
    shared.panels.bench.show()
    shared.box.refresh()
    shared.sent.clear()
    shared.notices.clear()
    yield shared
    shared.panels.bench.hide()


def test_a_preset_has_every_setting_and_sets_it_again(desk: Desk) -> None:
    desk.connect(state())
    pattern = np.linspace(0.0, 6.0, 96, dtype=np.float32).reshape(PANEL)
    desk.router.route(PatternDisplayed(pattern, "blaze"), {"pattern": pattern})
    desk.box.names.setEditText("dim")
    desk.box.save.click()
    assert preset_names() == ["dim"] and desk.box.name == "dim"
    desk.connect(state(power_mw=5.0))
    desk.box.apply.click()
    exposure, gain, roi, shown, power = desk.sent
    assert (exposure, gain) == (ask.SetExposure(1.5), ask.SetGain(3.0))
    assert (roi, power) == (ask.SetRoi(Roi(1, 2, 10, 20)), ask.SetPower(2.0))
    assert isinstance(shown, ask.ShowPhase) and shown.phase_rad is not None
    assert np.array_equal(shown.phase_rad, pattern)
    assert not desk.notices


def test_a_power_raised_much_is_asked_for_first(desk: Desk) -> None:
    desk.connect(state(power_mw=40.0))
    desk.presets.save("bright")
    assert read_preset("bright").pattern is None, "what the SLM shows was not known"
    desk.connect(state(power_mw=1.0))
    desk.presets.apply("bright")
    assert not any(isinstance(command, ask.SetPower) for command in desk.sent)
    desk.answer("dialog_yes")
    assert desk.sent[-1] == ask.SetPower(40.0)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(state(), bench="other"), "is of bench 'mock'; 'other' is connected"),
        (replace(state(), sensor_shape=(8, 8)), "reaches beyond the sensor"),
        (replace(state(), devices=state().devices[1:]), "exposure_ms: this bench has no such"),
    ],
    ids=["bench", "sensor", "camera"],
)
def test_what_does_not_fit_the_bench_sets_nothing(
    desk: Desk, other: BenchState, message: str
) -> None:
    desk.connect(state())
    desk.presets.save("here")
    desk.connect(other)
    desk.presets.apply("here")
    assert not desk.sent
    assert message in desk.notices[0] and desk.notices[0].endswith("Nothing was set.")


def test_a_value_beyond_the_limits_sets_nothing(desk: Desk) -> None:
    desk.connect(state())
    desk.presets.save("edited")
    file = preset_folder() / "edited.toml"
    file.write_text(file.read_text().replace("power_mw = 2.0", "power_mw = 500.0"))
    desk.presets.apply("edited")
    assert not desk.sent and "power_mw = 500 mW" in desk.notices[0]


def test_replacing_and_deleting_are_asked_for(desk: Desk) -> None:
    desk.connect(state())
    desk.presets.save("one")
    desk.connect(state(exposure_ms=9.0))
    desk.box.save.click()
    desk.answer("dialog_no")
    assert read_preset("one").exposure_ms == 1.5
    desk.box.save.click()
    desk.answer("dialog_yes")
    assert read_preset("one").exposure_ms == 9.0
    desk.box.delete.click()
    desk.answer("dialog_yes")
    assert not preset_names() and not desk.box.apply.isEnabled()


def test_presets_wait_for_a_bench_that_is_free(desk: Desk) -> None:
    desk.connect(state())
    desk.presets.save("one")
    desk.router.route(JobState("training", "running"), {})
    assert not desk.box.apply.isEnabled() and not desk.box.save.isEnabled()
    desk.router.route(JobState("", "idle"), {})
    assert desk.box.apply.isEnabled() and desk.box.save.isEnabled()
