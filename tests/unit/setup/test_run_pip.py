"""Set-up: which build of torch, what of pip's configuration holds, and what is said without a network."""

from __future__ import annotations

import os
import platform
import socket
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / ".ci")]

import run_pip  # noqa: E402
from run_pip import VERSION, Pip, has_nvidia_gpu, torch_to_install, torch_wheel  # noqa: E402

import run  # noqa: E402

PYTHON = f"cp{sys.version_info[0]}{sys.version_info[1]}"
CPU_WHEEL = f"torch-{VERSION}+cpu-{PYTHON}-{PYTHON}-manylinux_2_28_{platform.machine().lower()}.whl"
SIZE_BYTES = 3_000_000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """A mirror of torch's own index: one page of links, one wheel."""
    page = tmp_path / "whl" / "cpu" / "torch"
    page.mkdir(parents=True)
    (page.parent / CPU_WHEEL).write_bytes(bytes(SIZE_BYTES))
    other = CPU_WHEEL.replace(PYTHON, "cp37")
    links = "".join(
        f'<a href="../{urllib.parse.quote(name)}#sha256=0">{name}</a>\n'
        for name in (other, CPU_WHEEL)
    )
    (page / "index.html").write_text(f"<html><body>{links}</body></html>")
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/whl"
        server.shutdown()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a package index where nobody listens; nothing else is configured."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("LABDIFF_TORCH_INDEX", address)
    return address


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def _pip() -> Pip:
    return Pip(Path(sys.executable), ROOT)


@pytest.mark.skipif(sys.platform == "darwin", reason="PyPI's wheels for macOS are the right ones")
def test_without_a_gpu_the_cpu_build_of_a_mirror_is_taken(
    mirror: str, nobody: str, no_gpu: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("LABDIFF_TORCH_INDEX", mirror)
    chosen = torch_to_install(_pip())
    said = capsys.readouterr().out
    name, _, address = chosen.partition(" @ ")
    assert name == "torch"
    assert urllib.parse.unquote(address).endswith(f"/cpu/{CPU_WHEEL}#sha256=0")
    assert "no NVIDIA GPU" in said
    assert f"downloading {CPU_WHEEL}, 3 MB" in said


def test_an_index_that_does_not_answer_is_said_and_the_package_index_is_taken(
    nobody: str, no_gpu: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert torch_to_install(_pip()) == run_pip.TORCH
    said = capsys.readouterr().out
    assert sys.platform == "darwin" or f"{nobody} does not answer" in said


def test_a_wheel_on_the_disk_is_taken_before_any_download(
    nobody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    place = tmp_path / "wheels"
    place.mkdir()
    (place / "torch.whl").write_bytes(bytes(SIZE_BYTES))
    address = (place / "torch.whl").as_uri()
    pip = _pip()
    monkeypatch.setattr(pip, "planned", lambda *what: [address])
    assert torch_to_install(pip) == run_pip.TORCH
    assert "torch.whl, 3 MB, from this computer's disk" in capsys.readouterr().out


def test_another_python_has_no_wheel_in_the_mirror(
    mirror: str, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert torch_wheel(_pip(), mirror, "cu130") == ""
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert torch_wheel(_pip(), mirror, "cpu") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands for the driver's program")
@pytest.mark.parametrize(
    ("script", "found"),
    [("echo 'GPU 0: NVIDIA A100'", True), ("echo 'no devices'; exit 9", False), ("exit 0", False)],
)
def test_a_gpu_is_found_as_the_driver_lists_it(
    script: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert has_nvidia_gpu() is found


def test_of_pips_configuration_only_sources_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = tmp_path / "pip.conf"
    settings.write_text(
        f"[global]\nfind-links = {tmp_path}\nindex-url = https://mirror.example/simple\n"
        "[install]\ntarget = /elsewhere\nuser = true\nrequire-hashes = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "https://nearer.example/simple")
    kept = {k: v for k, v in _pip().environment.items() if k.startswith("PIP_")}
    assert kept.pop("PIP_CONFIG_FILE") == os.devnull
    assert kept["PIP_INDEX_URL"] == "https://nearer.example/simple"
    assert kept["PIP_FIND_LINKS"] == str(tmp_path)
    assert not {"PIP_USER", "PIP_TARGET", "PIP_REQUIRE_HASHES"} & set(kept)


def test_no_network_is_said_in_words(nobody: str) -> None:
    reason = _pip().no_network()
    assert reason.startswith(f"no network: the package index {nobody} cannot be reached")
    assert "PIP_INDEX_URL" in reason


def test_an_index_that_answers_is_a_network(
    mirror: str, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", mirror)  # it answers 404 there: it is reached
    assert _pip().no_network() == ""


def test_paths_in_other_letters_are_written_in_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "mèss gerät"
    folder.mkdir()
    file = tmp_path / "own.pth"
    file.write_bytes(b"import os\n" + os.fsencode(folder) + b"\n")
    run.write_path_file_in_ascii(file)
    lines = file.read_bytes()
    assert lines.isascii()
    before = list(sys.path)
    try:
        exec(lines.decode("ascii"), {})
        assert sys.path == [*before, str(folder)]
    finally:
        sys.path[:] = before


def test_a_path_file_in_ascii_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "own.pth"
    file.write_bytes(b"/plain/folder\n")
    run.write_path_file_in_ascii(file)
    assert file.read_bytes() == b"/plain/folder\n"


@pytest.mark.parametrize("command", ["demo", "gui"])
def test_paths_are_relative_to_the_callers_folder(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in place of labdiff states in which folder it was started."""
    program = tmp_path / "labdiff"
    program.write_text(f"#!{sys.executable}\nopen('here', 'w')\n")
    program.chmod(0o755)
    caller = tmp_path / "caller"
    caller.mkdir()
    monkeypatch.setattr(run, "BIN", tmp_path)
    monkeypatch.chdir(caller)
    if sys.platform != "win32":
        assert {"demo": run.demo, "gui": run.gui}[command](["--out", "runs/a"]) == 0
        assert (caller / "here").exists()
