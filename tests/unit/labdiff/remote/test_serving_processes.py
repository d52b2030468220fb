"""The processes of a served bench end with who started them, and one that is asked to end makes safe."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.errors import DeviceTimeoutError
from labdiff.errors import UserError
from labdiff.remote.messages import BenchStatus, RemoteError
from labdiff.remote.port_owner import own_port
from tests.support.served_bench import remote

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

BLOCKED = """
import os, signal, threading
from labdiff.remote.blocked_signals import on_blocked_signal
on_blocked_signal(lambda: (print("dark", flush=True), os._exit(7)))
signal.signal(signal.SIGTERM, signal.SIG_DFL)
print("ready", flush=True)
threading.Event().wait()
"""
NODE = """
import sys, threading, types
from labdiff.remote import node_process
node_process.MAKES_SAFE_WITHIN_S = 0.0
command = types.ModuleType("ray.scripts.scripts")

def main():
    import signal
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    print(*sys.argv, repr(sys.stdin.read()), flush=True)
    threading.Event().wait()

command.main = main
for name in ("ray", "ray.scripts"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["ray.scripts.scripts"] = command
node_process.main()
"""


@posix
def test_a_signal_that_the_starter_has_blocked_is_acted_on() -> None:
    """Ray blocks SIGINT in all its processes: no handler in the process with the bench is ever called."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", BLOCKED], stdout=subprocess.PIPE, text=True
        )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "dark\n"
    assert process.returncode == 7


@posix
@pytest.mark.parametrize("word", [b"", b"e"])
def test_a_node_ends_with_the_program_that_holds_its_pipe(word: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", NODE, str(folder), "start", "--head"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as node:
        assert node.stdin is not None and node.stdout is not None
        # What Ray starts may not read the pipe in place of the node.
        assert node.stdout.readline() == b"ray start --head ''\n"
        assert folder.exists()
        node.stdin.write(word)
        node.stdin.close()
    assert node.returncode == 1 and not folder.exists()


def test_a_bench_that_was_closed_by_a_signal_reports_it_and_what_was_left() -> None:
    with remote() as (lab, served, _, _, _):
        assert not served.status().closed and served.status().emission
        served._closed.set()
        answer = served.call("status")
        assert isinstance(answer, RemoteError) and "being closed" in answer.message
        assert served.close() == []
        assert served.status() == BenchStatus(
            served.status().bench_text, None, True, False, 0.0, False, (), closed=True
        )
        assert not lab.laser.emission


def test_a_bench_that_is_closed_twice_still_reports_the_laser_that_may_be_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never() -> None:
        raise DeviceTimeoutError("no answer")

    with remote() as (_, served, _, _, _):
        monkeypatch.setattr(served._bench._safety, "_laser_off", never)
        left = served.close()
        assert left == ["could not switch the laser off: no answer"]
        assert served.close() == left
        status = served.status()
        assert status.closed and status.emission and not status.at_rest


def test_a_port_has_one_server_and_what_listens_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABDIFF_RUNTIME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        with (
            pytest.raises(UserError, match=rf"127.0.0.1:{port}: something listens.*ray stop"),
            own_port("127.0.0.1", port),
        ):
            raise AssertionError("it is entered")
    with (
        own_port("127.0.0.1", port),
        pytest.raises(UserError, match=rf"the port {port} .*is in use by .*\(process \d+ on"),
        own_port("127.0.0.1", port),
    ):
        raise AssertionError("it is entered")
