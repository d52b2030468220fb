"""Without Ray: what works, and what the error says."""

from __future__ import annotations

from benchmarks.children import python
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting

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
    """Run a command in a process that has no Ray; return its exit code and all that it printed."""
    done = python("-c", HIDDEN, *arguments)
    return done.returncode, done.stdout + done.stderr


def measure(setting: Setting) -> Outcome:
    """Run a command that needs Ray and one that does not."""
    code, printed = without_ray("train", "--remote", "127.0.0.1:6379", "--out", "nowhere")
    named = code == 2 and "labdiff[cluster]" in printed and "Traceback" not in printed
    other = "--help" if setting.smoke else "doctor"
    other_code, _ = without_ray(other)
    claims = [
        claim("without Ray: a command that needs it names the extra", named, ">= 1"),
        claim("without Ray: exit code of one that does not", other_code, "<= 0"),
    ]
    return Outcome(claims, {"printed": printed.strip()[-300:]})
