"""Work that must not make the window stutter: low priority, one core left free."""

from __future__ import annotations

import os
import sys

NICENESS = 10


def lower_priority() -> None:
    """Set a low priority for this process, before it imports what starts threads."""
    cores = os.cpu_count() or 2
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores - 1)))
    if sys.platform == "win32":
        import ctypes

        below_normal = 0x4000
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
    else:
        os.nice(max(0, NICENESS - os.nice(0)))
