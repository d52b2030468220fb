"""What is attached is found through what is installed; what hangs or crashes is said."""

from __future__ import annotations

import socket
import struct
import threading
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from drivers.discovery import instruments
from drivers.discovery.found import Answer, Attached
from drivers.discovery.search import BACK_ENDS, BackEnd, search
from drivers.registry import KINDS
from labdiff.cli.devices import bench_snippet
from labdiff.config.driver_options import driver_options
from tests.contracts.c_stubs import alp, blink

MAKERS = """
import os, threading
from drivers.discovery.found import Attached

def hangs():
    threading.Event().wait()

def crashes():
    os.abort()

def raises():
    raise OSError("libmaker.so.3 is missing")

def finds():
    print("a library that talks")
    return [Attached("camera", "basler", "a camera", {"serial": "7"})]
"""


def test_back_ends_that_hang_crash_or_lack_something_harm_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "makers.py").write_text(MAKERS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ends = {
        name: BackEnd(name, "", "", f"makers:{name}") for name in ("hangs", "crashes", "raises")
    }
    ends["finds"] = BackEnd("finds", "", "", "makers:finds")
    ends["lacks"] = BackEnd("lacks", "no_such_library", "pip install it", "makers:finds")
    ends["maker"] = BackEnd("maker", "", "", "makers:finds", (lambda: False, "the maker's CD"))
    answers = {answer.back_end: answer for answer in search(8.0, ends)}
    assert list(answers) == list(ends)
    assert answers["hangs"].problem.startswith("did not answer in 8 s: a device may be there")
    assert "another program" in answers["hangs"].problem and answers["hangs"].late
    assert not any(answers[name].late for name in ends if name != "hangs")
    assert "ended the process" in answers["crashes"].problem
    assert "does not load (OSError: libmaker.so.3 is missing)" in answers["raises"].problem
    assert "install the maker's software" in answers["raises"].problem
    assert answers["finds"].found == (Attached("camera", "basler", "a camera", {"serial": "7"}),)
    assert answers["lacks"].problem == "needs pip install it"
    assert answers["maker"].problem == "needs the maker's CD"


def ask(name: str) -> Answer:
    (answer,) = search(30.0, {name: BACK_ENDS[name]})
    return answer


def test_pylons_emulated_cameras_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYLON_CAMEMU", "2")
    answer = ask("pylon")
    assert [one.settings["serial"] for one in answer.found] == ["0815-0000", "0815-0001"]


def test_instruments_of_pyvisa_sim_are_identified_by_their_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("pyvisa_sim", reason="pyvisa-sim is not installed")
    file = resources.files("mock_hardware.visa").joinpath("instruments.yaml")
    monkeypatch.setenv(instruments.VISA_LIBRARY, f"{file}@sim")
    found = ask("visa").found
    assert sorted(one.kind for one in found) == ["laser", "laser", "meter", "meter"]
    for one in found:
        options = {"library": one.settings["options.library"]}
        wanted = KINDS[one.kind].find(one.driver).Options
        assert driver_options(one.kind, one.driver, wanted, options).library.endswith("@sim")


def test_stubs_of_makers_libraries_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alp(tmp_path)
    blink("pcie 8", tmp_path)
    monkeypatch.setenv("LABDIFF_ALP", str(tmp_path))
    monkeypatch.setenv("LABDIFF_BLINK", str(tmp_path))
    (dmd,) = ask("alp").found
    assert dmd.settings["address"] == "11223" and "64 x 48 mirrors" in dmd.title
    (slm,) = ask("blink").found
    assert "pcie 8" in slm.title
    for one in (dmd, slm):
        section = tomllib.loads(one.section())[one.kind]
        wanted = KINDS[one.kind].find(section["driver"]).Options
        assert driver_options(one.kind, section["driver"], wanted, section["options"])


def test_a_snippet_is_toml_with_one_device_of_a_kind() -> None:
    found = [
        Attached("slm", "screen", "monitor A", {"address": "name=A"}, "it is the primary"),
        Attached("slm", "screen", "monitor B", {"address": "serial=1"}),
        Attached("slm", "meadowlark", "Blink", {"address": "board:1", "options.sdk": r"C:\x y"}),
        Attached("meter", "pm100", "PM100D", {"address": "USB0::1::INSTR"}),
        Attached("instrument", "scpi_laser", "port", {"address": "ASRL1::INSTR"}),
    ]
    text = bench_snippet(found)
    assert tomllib.loads(text) == {"slm": {"driver": "screen", "address": "serial=1"}}
    assert "monitor A" not in text and "# [laser]" in text and "# options.sdk = 'C:\\x y'" in text
    assert "Nothing was found" in bench_snippet(found[:1])
    assert all(one.driver in KINDS[one.kind].built_in for one in found[:4])


def test_instruments_of_the_network_answer_a_broadcast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portmapper of loopback: the broadcast is sent there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mapper:
        mapper.bind(("127.0.0.1", 0))
        mapper.settimeout(5.0)

        def answer() -> None:
            call, client = mapper.recvfrom(512)
            number, kind, version, program = struct.unpack(">4I", call[:16])
            assert (kind, version, program) == (0, 2, 100000)
            assert struct.unpack(">4I", call[40:56]) == (0x0607AF, 1, 6, 0)
            mapper.sendto(struct.pack(">7I", number, 1, 0, 0, 0, 0, 1024), client)

        thread = threading.Thread(target=answer)
        thread.start()
        monkeypatch.setattr(instruments, "BROADCAST", mapper.getsockname())
        assert instruments.network_addresses() == ["TCPIP::127.0.0.1::INSTR"]
        thread.join()


def test_a_demo_camera_is_no_advice_and_a_late_back_end_is_named() -> None:
    demo = Attached("camera", "micromanager", "DemoCamera", {"options.device": "DCam"}, seen=False)
    text = bench_snippet([demo], ["Basler cameras (pylon)"])
    assert tomllib.loads(text) == {}
    assert "# not searched to the end: Basler cameras (pylon)" in text
    assert '# driver = "micromanager"' in text
    real = Attached("camera", "basler", "Basler 1", {"serial": "1"})
    assert tomllib.loads(bench_snippet([demo, real]))["camera"]["driver"] == "basler"
    nothing = bench_snippet([], ["Basler cameras (pylon)"])
    assert nothing.startswith("# not searched to the end") and "Nothing was found" in nothing
