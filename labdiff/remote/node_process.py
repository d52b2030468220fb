"""Ray's first node, which ends when the program that started it has ended, however that did.

`python -m labdiff.remote.node_process FOLDER ARGUMENTS ...`, with the arguments of Ray's own command. That
program holds the other end of the standard input, which the system closes with it. A byte on it says that
the bench is safe and the node may end; an end without one, that the program was killed: the process with
the bench, which notices that too, gets the time to make it safe before the node ends and takes that process
with it. Ray's command runs in this process: nothing stands between who waits for the end and the node, and
all that the node started ends with it.
"""

from __future__ import annotations

import _thread
import atexit
import os
import shutil
import signal
import sys
import threading
import time
from importlib import import_module
from typing import Any

MAKES_SAFE_WITHIN_S = 20.0
"""Time for the process with the bench to notice that nobody serves it any more, and to close it."""
ENDS_WITHIN_S = 10.0
"""Time for all processes of the node to end after that."""


def end_with_starter(standard_input: int) -> None:
    """Wait for the end of the program that started this one; then end this process as the system would.

    standard_input: number of the file whose other end that program holds.
    """
    if not os.read(standard_input, 1):
        time.sleep(MAKES_SAFE_WITHIN_S)
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGBREAK)
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run Ray's command with the arguments, then delete the folder."""
    folder, *arguments = sys.argv[1:]
    # Before Ray registers what ends its processes, so that it is called after that.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # What Ray starts inherits the standard input, and gets an empty one.
    standard_input = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=end_with_starter, args=(standard_input,), daemon=True).start()
    command: Any = import_module("ray.scripts.scripts")
    sys.argv = ["ray", *arguments]
    command.main()


if __name__ == "__main__":
    main()
