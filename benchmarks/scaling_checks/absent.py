"""Without Ray: what works, and what the error says."""

from __future__ import annotations

import subprocess
import sys

HIDDEN = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ray":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "ray" else real(name, *rest)
from labdiff.cli.main import main
sys.argv = ["labdiff", *sys.argv[1:]]
main()
"""


def without_ray(*arguments: str) -> tuple[int, str]:
    """Exit code and all that was said by a command in a process that has no Ray."""
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr
