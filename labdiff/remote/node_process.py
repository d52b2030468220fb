"""Run Ray's first node until it ends, or until the program that started this one has ended, however it did.

`python -m labdiff.remote.node_process FOLDER COMMAND ...`: that program holds the other end of the standard
input, which the system closes with it. A byte on it says that the bench is safe and the node may end; an
end without one, that the program was killed: the process with the bench, which notices that too, gets the
time to make it safe before the node ends and takes that process with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time

MAKES_SAFE_WITHIN_S = 20.0
"""Time for the process with the bench to notice that nobody serves it any more, and to close it."""


def main() -> int:
    """Run the command of the arguments, then delete its folder; return the command's exit code."""
    folder, *command = sys.argv[1:]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as node:

        def end_with_starter() -> None:
            if not sys.stdin.buffer.read(1):
                time.sleep(MAKES_SAFE_WITHIN_S)
            node.terminate()

        threading.Thread(target=end_with_starter, daemon=True).start()
        code = node.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
