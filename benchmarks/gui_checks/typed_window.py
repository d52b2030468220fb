"""`labdiff gui` as it is, which also writes what its fields of numbers send, and what the engine is sent.

`python -m benchmarks.gui_checks.typed_window MAP LOG -- ARGUMENTS of labdiff gui`. MAP is that of
`mapped_window`; LOG gets one line of JSON for each text that was entered:
{"name": ..., "text": ..., "sent": [...], "commands": [...]}, in the order in which they were entered.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

POLL_MS = 100
SETTINGS = ("SetExposure", "SetPower")


def main() -> None:
    """Open the window; nothing is imported before, so that the bench's process stays as it is."""
    from unittest.mock import patch

    from PySide6.QtCore import QTimer

    import gui.app
    from benchmarks.gui_checks.mapped_window import write
    from gui.process.bench_process import BenchProcess
    from gui.widgets.number_field import NumberField
    from gui.window import MainWindow
    from labdiff.cli.main import main as labdiff

    cut = sys.argv.index("--")
    map_file, log = Path(sys.argv[1]), Path(sys.argv[2])
    sent: list[tuple[str, float]] = []
    commands: list[float] = []
    ask = BenchProcess.ask

    def asked(self: BenchProcess, command: Any) -> bool:
        if type(command).__name__ in SETTINGS:
            commands.extend(getattr(command, name) for name in command.__slots__)
        return ask(self, command)

    def entered(field: NumberField) -> None:
        own = [value for name, value in sent if name == field.objectName()]
        line = {
            "name": field.objectName(),
            "text": field.text(),
            "refused": bool(field.refusal),
            "sent": own,
            "commands": list(commands),
        }
        sent.clear()
        commands.clear()
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(line)}\n")

    class Watched(MainWindow):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self._known: set[int] = set()
            timer = QTimer(self, interval=POLL_MS)
            timer.timeout.connect(self._look)
            timer.start()

        def _look(self) -> None:
            for field in self.findChildren(NumberField):
                if id(field) not in self._known:
                    self._known.add(id(field))
                    name = field.objectName()
                    field.valueChanged.connect(lambda value, name=name: sent.append((name, value)))
                    field.editingFinished.connect(partial(entered, field))
            write(map_file)

    sys.argv = ["labdiff", "gui", *sys.argv[cut + 1 :]]
    with patch.object(gui.app, "MainWindow", Watched), patch.object(BenchProcess, "ask", asked):
        labdiff()


if __name__ == "__main__":
    main()
