"""Records in a process of its own, which ends without a word, for the recording's tests."""

from __future__ import annotations

import os
from pathlib import Path

from gui.live.frame_metadata import RecordingMetadata
from gui.live.recording import FORMATS
from tests.unit.gui.live_frames import entry_of


def record_and_die(path: Path, kind: str, published: int, after: int) -> None:
    stack = FORMATS[kind](path, RecordingMetadata("bench", 12, 4095, 120, 160, "now"), entry_of(1))
    for number in range(2, published + 1):
        stack.append(entry_of(number))
    stack.publish()
    for number in range(published + 1, published + after + 1):
        stack.append(entry_of(number))
    os._exit(9)
