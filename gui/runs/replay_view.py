"""A replay of a training, picture by picture along its steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.colour_maps import ColourMap, difference_map, intensity_map, phase_map
from gui.image_view import CAMERA_HINT, CAMERA_UNIT, ImageView
from gui.plots.training_curves import METHODS
from gui.widgets.plain_label import PlainLabel
from gui.widgets.scrubber import Scrubber
from labdiff.runs.picture_history import PictureHistory

VIEWS: dict[str, tuple[str, str, ColourMap, bool]] = {
    "input_field": ("Input pattern", "rad", phase_map, False),
    "camera": ("Camera", CAMERA_UNIT, intensity_map, False),
    "predicted_noise": ("Predicted noise", "", difference_map, True),
    "true_noise": ("True noise", "", difference_map, True),
}
NO_HISTORY = "Recorded without pictures along the run: those of its last step are shown."
NO_PICTURES = "No pictures of a training step yet."


class ReplayView(QWidget):
    """Shows input, camera and both noises at a step; a slider and a button go along the run.

    Colours mean the same at all steps, and the same for both noises.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._history: PictureHistory | None = None
        self._levels: dict[str, tuple[float, float] | None] = {}
        self.views = {key: ImageView(*how) for key, how in VIEWS.items()}
        self.views["camera"].setToolTip(CAMERA_HINT)
        self.message = PlainLabel(NO_PICTURES)
        self.message.setObjectName(f"{name}_message")
        self.message.setWordWrap(True)
        self.scrubber = Scrubber(
            name,
            "Along the training, from its first step to its last",
            "Play the training again",
            "100 of 100 ",
        )
        self.scrubber.moved.connect(self._show)
        pictures = QHBoxLayout()
        for view in self.views.values():
            pictures.addWidget(view)
        layout = QVBoxLayout(self)
        layout.addWidget(self.message)
        layout.addLayout(pictures, 1)
        layout.addWidget(self.scrubber)
        self.clear()

    def show_history(
        self, history: PictureHistory | None, last: dict[str, npt.NDArray[np.float32]]
    ) -> None:
        """Show the pictures of the same run as before, or of another after `clear`.

        Args:
            history: Pictures along the run; None if it has none.
            last: Pictures of the last step, for a run without a history.
        """
        at_end = self.scrubber.at_end
        self._history = history
        self.scrubber.set_count(0 if history is None else len(history))
        if history is None:
            self._show_last(last)
            return
        self._levels = {key: history.limits(key) for key in VIEWS}
        if at_end and not self.scrubber.playing:
            self.scrubber.go_to_end()
        self._show()

    def clear(self) -> None:
        """Show no run any more."""
        self._history = None
        self.scrubber.set_count(0)
        self._show_last({})

    def _show(self) -> None:
        history = self._history
        if history is None:
            return
        place = self.scrubber.place
        self._show_all({key: history.picture(key, place) for key in VIEWS})
        step = history.moments[place]
        method = step["method"].decode(errors="replace")
        self.message.setText(
            f"{METHODS.get(method, method)}, step {step['step'] + 1} of {step['total']}, "
            f"layer set {step['layer_set']}"
        )
        self.scrubber.place_label.setText(f"{place + 1} of {len(history)}")

    def _show_last(self, last: dict[str, npt.NDArray[np.float32]]) -> None:
        self._levels = {}
        known = {key: last[key] for key in VIEWS if key in last and last[key].ndim == 2}
        self.message.setText(NO_HISTORY if known else NO_PICTURES)
        self.scrubber.place_label.clear()
        self._show_all(known)

    def _show_all(self, pictures: dict[str, npt.NDArray[np.float32]]) -> None:
        limit = self._noise_limit(pictures.get("true_noise"))
        for key, view in self.views.items():
            view.setVisible(key in pictures)
            if key in pictures:
                view.show_picture(pictures[key], limit, self._levels.get(key))

    def _noise_limit(self, now: npt.NDArray[np.float32] | None) -> float | None:
        """Return the limit of the true noise at a typical step, else that of the present one."""
        levels = self._levels.get("true_noise")
        if levels is not None:
            return max(map(abs, levels))
        return float(np.nanmax(np.abs(now))) if now is not None and np.isfinite(now).any() else None
