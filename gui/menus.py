"""The entries of the window's menus, with their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QDockWidget, QMenu

from gui.arrangement import Arrangement
from gui.docks import LAYOUTS
from gui.top_bar import TopBar


@dataclass(frozen=True, slots=True)
class Acts:
    """What the entries of the menus do."""

    switch_theme: Callable[[], None]
    arrangement: Arrangement
    make_safe: Callable[[], None]
    toggle_pause: Callable[[], None]
    stop: Callable[[], None]
    show_shortcuts: Callable[[], None]
    start_tour: Callable[[], None]


def fill_menus(top: TopBar, docks: Mapping[str, QDockWidget], acts: Acts) -> None:
    """Fill the menus of the bar above the docks.

    Args:
        top: The bar.
        docks: The docks by title, which can be shown, hidden and gone to.
        acts: What the other entries do.
    """
    menus, add = top.menus, top.add_action
    view = menus.addMenu("&View")
    for number, (title, dock) in enumerate(docks.items(), 1):
        view.addAction(dock.toggleViewAction())
        add(view, f"Go to {title}", f"Ctrl+{number}", partial(bring_up, dock))
    view.addSeparator()
    _add_layouts(top, view, acts.arrangement)
    add(view, "Reset this layout", "", acts.arrangement.reset)
    view.addSeparator()
    add(view, "Light or dark", "Ctrl+T", acts.switch_theme)
    bench = menus.addMenu("&Bench")
    add(bench, "Laser off (safe state)", "F12", acts.make_safe)
    add(bench, "Pause or continue", "Ctrl+P", acts.toggle_pause)
    add(bench, "Stop and save", "Ctrl+.", acts.stop)
    helps = menus.addMenu("&Help")
    add(helps, "Keyboard shortcuts", "F1", acts.show_shortcuts)
    add(helps, "Tour", "", acts.start_tour)


def _add_layouts(top: TopBar, view: QMenu, arrangement: Arrangement) -> None:
    """Add an entry for each layout, of which that in use is ticked."""
    entries = {}
    for number, layout in enumerate(LAYOUTS, 1):
        choose = partial(arrangement.choose, layout.name)
        entry = top.add_action(view, f"Layout {layout.name}", f"Ctrl+Shift+{number}", choose)
        entry.setCheckable(True)
        entries[layout.name] = entry

    def tick() -> None:
        for name, entry in entries.items():
            entry.setChecked(name == arrangement.name)

    view.aboutToShow.connect(tick)


def bring_up(dock: QDockWidget) -> None:
    """Show a dock, above others in its place, and give its panel the focus."""
    dock.show()
    dock.raise_()
    widget = dock.widget()
    if widget is not None:
        widget.setFocus()
