from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.panels.generate_panel import GeneratePanel
from gui.widgets import denoising_view
from gui.widgets.denoising_view import DenoisingView
from gui.widgets.image_files import gif_of, sheet
from gui.widgets.image_grid import ImageGrid, columns_for, grey_levels
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.runs.recorder import Recorder
from labdiff.session.layer_options import options_of_layers
from tests.unit.gui.file_choice import choose

RNG = np.random.default_rng(0)


def images(count: int = 5, value: float | None = None) -> np.ndarray:
    shape = (count, 6, 8)
    noise = RNG.uniform(-1, 1, shape) if value is None else np.full(shape, value)
    return noise.astype(np.float32)


def settled(qtbot: QtBot, panel: GeneratePanel) -> None:
    qtbot.waitUntil(lambda: not panel._background.busy, timeout=600_000)


def opened(qtbot: QtBot) -> GeneratePanel:
    panel = GeneratePanel()
    qtbot.addWidget(panel)
    panel.resize(900, 500)
    panel.show()
    settled(qtbot, panel)
    return panel


def run_file(path: Path, **options: object) -> Path:
    text = TrainingOptions(**options).model_dump_json()  # type: ignore[arg-type]
    Recorder(path, "", text, 0)
    return path


def asked(qtbot: QtBot, panel: GeneratePanel) -> GenerationRequest:
    with qtbot.waitSignal(panel.generate_wanted) as signal:
        qtbot.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    assert signal.args is not None
    request: GenerationRequest = signal.args[0]
    request.check()
    return request


def test_options_are_those_of_the_shipped_layers_or_of_the_run(tmp_path: Path) -> None:
    assert options_of_layers(None).data == "digits"
    run = run_file(tmp_path / "run.h5", prompt=True, classes=(3, 7))
    assert options_of_layers(run).classes == (3, 7)
    with pytest.raises(UserError, match="no such run file"):
        options_of_layers(tmp_path / "none.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(UserError, match="not one that labdiff recorded"):
        options_of_layers(tmp_path / "other.h5")
    with h5py.File(tmp_path / "older.h5", "w") as file:
        file.attrs["options"] = '{"batch": "many"}'
    with pytest.raises(UserError, match="batch = .many.: input should be a valid integer"):
        options_of_layers(tmp_path / "older.h5")


def test_what_is_typed_is_what_is_asked_for(qtbot: QtBot, tmp_path: Path) -> None:
    run = run_file(tmp_path / "run.h5", prompt=True, classes=(3, 7))
    panel = opened(qtbot)
    assert panel.start_button.isEnabled(), "on the digital twin no bench is needed"
    assert asked(qtbot, panel) == GenerationRequest()
    panel.set_ready(True, False, False)
    qtbot.keyClicks(panel.source, str(run))
    qtbot.keyClick(panel.source, Qt.Key.Key_Return)
    settled(qtbot, panel)
    for box, typed in ((panel.count, "9"), (panel.steps, "30"), (panel.seed, "12")):
        box.selectAll()
        qtbot.keyClicks(box, typed)
        qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.keyClick(panel.where, Qt.Key.Key_Down)
    assert [panel.label.itemText(row) for row in range(panel.label.count())] == ["any", "3", "7"]
    panel.label.setCurrentIndex(2)
    panel.guidance.setValue(2.5)
    assert asked(qtbot, panel) == GenerationRequest(
        run, 9, "bench", 12, 7, 2.5, sampler={"sampler_steps": 30}
    )
    panel.label.setCurrentIndex(0)
    assert asked(qtbot, panel).guidance == 1.0 and not panel.guidance.isEnabled()


def test_no_class_where_layers_had_no_prompts(qtbot: QtBot, tmp_path: Path) -> None:
    panel = opened(qtbot)
    panel.set_ready(True, False, False)
    panel.set_source(run_file(tmp_path / "run.h5"))
    settled(qtbot, panel)
    assert not panel.label.isEnabled() and "without prompts" in panel.label.toolTip()
    assert asked(qtbot, panel).label is None
    panel.set_source(run_file(tmp_path / "all.h5", prompt=True, classes=()))
    settled(qtbot, panel)
    assert panel.label.isEnabled() and panel.label.count() == 11


def test_a_wrong_file_is_reported(qtbot: QtBot, tmp_path: Path) -> None:
    panel = opened(qtbot)
    with qtbot.waitSignal(panel.problem) as received:
        panel.set_source(tmp_path / "none.h5")
    assert received.args is not None and "no such run file" in received.args[0]
    assert "no such run file" in panel.message.text()


def test_images_form_and_can_be_replayed(qtbot: QtBot) -> None:
    panel = opened(qtbot)
    panel.set_ready(True, True, True)
    assert panel.stop_button.isEnabled() and not panel.start_button.isEnabled()
    panel.begin()
    for step, t in enumerate((900, 500, 100, 0)):
        panel.show_step(step, 4, t, images(value=1 - t / 500))
        assert panel.view.t_label.text() == f"t = {t}, {step + 1} of {step + 1}"
    assert panel.progress.value() == 4 and panel.view.grid.count == 5
    panel.show_end("completed")
    panel.set_ready(True, False, False)
    assert panel.message.text() == "completed" and panel.start_button.isEnabled()
    panel.view.slider.setFocus()
    qtbot.keyClick(panel.view.slider, Qt.Key.Key_Home)
    assert panel.view.t_label.text() == "t = 900, 1 of 4"
    with qtbot.waitSignal(panel.stop_wanted):
        panel.set_ready(True, True, True)
        qtbot.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)


def test_replaying_is_not_moved_forward_by_new_images(qtbot: QtBot) -> None:
    view = DenoisingView("view")
    qtbot.addWidget(view)
    for t in (900, 800, 700):
        view.add(t, images())
    view.slider.setValue(0)
    view.add(600, images())
    assert view.t_label.text() == "t = 900, 1 of 3" and view.slider.maximum() == 3
    qtbot.mouseClick(view.play_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not view.play_button.isChecked())
    assert view.t_label.text() == "t = 600, 4 of 4"


def test_what_is_shown_is_a_copy(qtbot: QtBot) -> None:
    view = DenoisingView("view")
    qtbot.addWidget(view)
    ring = images(value=0.5)
    view.add(900, ring)
    ring[:] = -1
    assert (view.moments[0][1] == 0.5).all()


def test_many_moments_are_thinned_out(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denoising_view, "MOST_BYTES", 10 * images().nbytes)
    view = DenoisingView("view")
    qtbot.addWidget(view)
    for t in range(100, -1, -1):
        view.add(t, images())
    times = [t for t, _ in view.moments]
    assert len(times) <= 10 and times[0] == 100 and times[-1] == 0
    assert times == sorted(times, reverse=True)


def save(qtbot: QtBot, panel: GeneratePanel, kind: str, path: Path) -> None:
    qtbot.mouseClick(panel.save_buttons[kind], Qt.MouseButton.LeftButton)
    choose(panel, path)
    settled(qtbot, panel)


def test_images_are_saved(qtbot: QtBot, tmp_path: Path) -> None:
    panel = opened(qtbot)
    assert not panel.save_buttons["png"].isEnabled()
    moments = [images() for _ in range(4)]
    for step, moment in enumerate(moments):
        panel.show_step(step, 4, 300 - 100 * step, moment)
    panel.view.slider.setValue(1)
    save(qtbot, panel, "png", tmp_path / "out")
    save(qtbot, panel, "gif", tmp_path / "out.gif")
    with Image.open(tmp_path / "out.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), sheet(moments[1]))
    with Image.open(tmp_path / "out.gif") as film:
        assert film.n_frames == 4
    assert "saved" in panel.message.text()
    with qtbot.waitSignal(panel.problem) as received:
        save(qtbot, panel, "png", tmp_path / "nowhere" / "out.png")
    assert received.args is not None and "no such folder" in received.args[0]


def test_a_sheet_holds_every_pixel_of_every_image() -> None:
    batch = images(3)
    paper = sheet(batch)
    scale = 64 // 8
    for number, (top, left) in enumerate(((0, 0), (0, 1), (1, 0))):
        y, x = 4 + top * (6 * scale + 4), 4 + left * (8 * scale + 4)
        cut = paper[y : y + 6 * scale : scale, x : x + 8 * scale : scale]
        np.testing.assert_array_equal(cut, grey_levels(batch[number]))
    assert grey_levels(np.array([-1, 1, 5, -5, np.nan], np.float32)).tolist() == [0, 255, 255, 0, 0]


def test_a_long_film_keeps_its_ends() -> None:
    import io

    film = Image.open(io.BytesIO(gif_of([images(1, t / 500 - 1) for t in range(1000, -1, -1)])))
    assert film.n_frames == 200


def test_the_grid_is_as_large_as_there_is_room_for(qtbot: QtBot) -> None:
    assert columns_for(16, 400, 400) == 4
    assert columns_for(10, 1000, 100) == 10
    assert columns_for(10, 100, 1000) == 1
    grid = ImageGrid("grid")
    qtbot.addWidget(grid)
    grid.resize(300, 300)
    grid.show_images(images(4, np.nan))
    grid.grab()
    grid.show_images(images(0))
    assert grid.count == 0
    grid.grab()
