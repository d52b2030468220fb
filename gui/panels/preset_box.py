"""Presets of the devices' settings: choose or name one, apply, save, delete."""

from __future__ import annotations

from functools import partial

import qtawesome as qta
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QToolButton, QWidget

from gui import style
from gui.widgets.choice import Choice
from gui.widgets.dialogs import ask
from labdiff.config.device_preset import preset_names


class PresetBox(QWidget):
    """Lists the presets of this user.

    Attributes:
        apply_wanted: Emitted with the name of the preset to be applied.
        save_wanted: Emitted with the name under which the present settings are to be saved.
        delete_wanted: Emitted with the name of the preset to be deleted.
    """

    apply_wanted = Signal(str)
    save_wanted = Signal(str)
    delete_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("presets")
        self.names = Choice("preset_name")
        self.names.setEditable(True)
        self.names.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.names.setToolTip(
            "A preset: exposure, gain, ROI, power and pattern by name; type a name to save a new one"
        )
        line = self.names.lineEdit()
        if line is not None:
            line.setPlaceholderText("name of a preset")
        self.apply = QPushButton("Apply")
        self.apply.setObjectName("preset_apply")
        self.apply.setToolTip("Set the devices as the preset says; the laser is not switched on")
        self.save, self.delete = QToolButton(), QToolButton()
        self.save.setObjectName("preset_save")
        self.save.setToolTip("Save the present settings under this name")
        self.delete.setObjectName("preset_delete")
        self.delete.setToolTip("Delete this preset")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.names, 1)
        for button in (self.apply, self.save, self.delete):
            row.addWidget(button)
        self._ready = False
        self.names.currentTextChanged.connect(lambda _: self._allow())
        self.apply.clicked.connect(lambda: self.apply_wanted.emit(self.name))
        self.save.clicked.connect(self._save)
        self.delete.clicked.connect(self._delete)
        style.style.changed.connect(self._paint)
        self._paint()
        self.refresh()

    @property
    def name(self) -> str:
        """The name in the field."""
        return self.names.currentText().strip()

    def refresh(self, chosen: str = "") -> None:
        """List the presets that there are now, and choose one of them; "" for none."""
        self.names.clear()
        self.names.addItems(preset_names())
        self.names.setCurrentIndex(self.names.findText(chosen))
        if self.names.currentIndex() < 0:
            self.names.setEditText("")
        self._allow()

    def set_ready(self, ready: bool) -> None:
        """Offer to apply and save only where a bench is connected and no job uses it."""
        self._ready = ready
        self._allow()

    def _known(self) -> bool:
        return self.names.findText(self.name) >= 0 and bool(self.name)

    def _allow(self) -> None:
        self.apply.setEnabled(self._ready and self._known())
        self.save.setEnabled(self._ready and bool(self.name))
        self.delete.setEnabled(self._known())

    def _save(self) -> None:
        name = self.name
        save = partial(self.save_wanted.emit, name)
        if self._known():
            question = f"The preset {name!r} exists. Replace it by the present settings?"
            ask(self.window(), question, "Replace", "Keep it", save)
        else:
            save()

    def _delete(self) -> None:
        name = self.name
        delete = partial(self.delete_wanted.emit, name)
        ask(self.window(), f"Delete the preset {name!r}?", "Delete", "Keep it", delete)

    def _paint(self) -> None:
        for button, icon in ((self.save, "content-save-outline"), (self.delete, "delete-outline")):
            button.setIcon(qta.icon(f"mdi6.{icon}", color=style.theme().text))
