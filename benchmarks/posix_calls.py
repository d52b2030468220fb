"""Calls that Windows does not have, for the parts that are measured on Linux alone."""

from __future__ import annotations

import os
import signal
import sys

if sys.platform == "win32":
    KILL = signal.SIGTERM
else:
    KILL = signal.SIGKILL
"""Signal that ends a program whatever it does; on Windows SIGTERM does that."""
BYTES_OF_PEAK = 1 if sys.platform == "darwin" else 1024
"""Unit in which the system states a process's largest memory: kilobytes on Linux, bytes on macOS."""


def stop_program(pid: int) -> None:
    """Let a program stand still. Raises OSError on Windows, which has no such signal."""
    if sys.platform == "win32":
        raise OSError("no signal of Windows lets a program stand still")
    os.kill(pid, signal.SIGSTOP)


def send_to_group(group: int, number: int) -> None:
    """Send a signal to a group of processes. Raises OSError on Windows."""
    if sys.platform == "win32":
        raise OSError("a signal cannot be sent to a group of processes on Windows")
    os.killpg(group, number)


def niceness(pid: int) -> int:
    """Return the niceness of a process. Raises OSError on Windows, which has classes instead."""
    if sys.platform == "win32":
        raise OSError("a process of Windows has a class of priority, no niceness")
    return os.getpriority(os.PRIO_PROCESS, pid)


def peak_memory_mb() -> float:
    """Return the largest memory of this process so far. Raises OSError on Windows."""
    if sys.platform == "win32":
        raise OSError("Windows has no getrusage, which states the largest memory")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_OF_PEAK / 2**20


def limit_processor_time(limit_s: int) -> None:
    """Let the system end this process after so much processor time. Raises OSError on Windows."""
    if sys.platform == "win32":
        raise OSError("the processor time of a process cannot be limited on Windows")
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, resource.RLIM_INFINITY))


def limit_file_size(limit_bytes: int) -> None:
    """Let no file of this process grow beyond a size: writing fails. Raises OSError on Windows."""
    if sys.platform == "win32":
        raise OSError("the size of files cannot be limited on Windows")
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
