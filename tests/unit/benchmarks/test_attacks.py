"""The attempts of benchmarks/attacks.py are real: without what holds them off, they get through."""

from __future__ import annotations

import html
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import attacks
from benchmarks.attack_checks import door, libraries, owners, pages, paths, places
from benchmarks.attack_checks.attempt import Attempt, part
from benchmarks.parts import Setting
from labdiff.bench import check_devices
from labdiff.bench import open as opening
from labdiff.engine import door as door_module
from labdiff.remote.ownership import Ownership

MODULES = (pages, libraries, paths, owners, door, places)


def through(attempts: Sequence[Attempt], name: str) -> list[str]:
    """Make the attempts of a name; return the names of those that got through."""
    chosen = [attempt for attempt in attempts if name in attempt.name]
    assert chosen, f"no attempt {name!r}"
    outcome = part("test", chosen)(Setting())
    found = outcome.figures["through"]
    assert isinstance(found, dict)
    return list(found)


def test_there_are_more_than_forty_and_their_names_differ() -> None:
    names = [(module, attempt.name) for module in MODULES for attempt in module.ATTEMPTS]
    assert len(names) == len(set(names)) >= 120


@pytest.mark.parametrize("group", ["libraries", "paths", "owners", "door", "places"])
def test_none_gets_through(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    attacks.main(["--smoke", "--json", "--part", group])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert all(claim["holds"] for claim in result["claims"]), result["figures"]


def test_no_tag_or_code_of_a_run_gets_through() -> None:
    assert not through(pages.ATTEMPTS, "reason of the run")
    assert not through(pages.ATTEMPTS, "of a served bench")


def test_a_token_that_is_not_checked_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ownership, "is_owner", lambda *_: True)
    assert through(owners.ATTEMPTS, "owned: token empty")
    assert through(owners.ATTEMPTS, "token that was given back")


def test_a_door_that_does_not_check_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "is_proof", lambda *_: True)
    assert through(door.ATTEMPTS, "a stranger says an empty greeting")


def test_a_library_that_is_not_asked_for_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (opening, check_devices):
        monkeypatch.setattr(module, "require_confirmed", lambda _: None)
    assert through(libraries.ATTEMPTS, "camera.options of genicam")


def test_tags_that_are_not_escaped_are_seen() -> None:
    assert pages.scripts(f"<p title='{pages.TAGS}'>")
    assert not pages.scripts(f"<p title='{html.escape(pages.TAGS)}'>{html.escape(pages.TAGS)}")


def test_code_that_runs_is_seen() -> None:
    def careless(folder: Path) -> Sequence[str]:
        libraries._npy(folder / "a.npy")
        np.load(folder / "a.npy", allow_pickle=True)
        return []

    assert through([Attempt("careless", careless)], "careless") == ["careless"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
def test_a_token_that_others_read_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "keep_token_private", lambda *, create: None)
    assert through(places.ATTEMPTS, "0644")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback is one address")
def test_a_server_that_listens_everywhere_is_seen() -> None:
    with socket.create_server(("", 0)) as listener:
        assert places._reachable(listener.getsockname()[1])
    assert not through(places.ATTEMPTS, "from the network")


def test_an_error_that_is_no_refusal_is_a_traceback() -> None:
    def fails(_: Path) -> Sequence[str]:
        raise KeyError("entry")

    outcome = part("test", [Attempt("fails", fails)])(Setting())
    assert [claim["holds"] for claim in outcome.claims] == [True, False]
