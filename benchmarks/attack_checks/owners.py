"""Calls of a served bench by those who do not own it, or say that they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.attack_checks.attempt import Attempt
from benchmarks.scaling_checks.in_process import PickledConnection
from labdiff.bench.open import open_bench
from labdiff.cli.bench import status_line
from labdiff.config.bench import load_bench
from labdiff.remote.lease import Lease
from labdiff.remote.messages import RemoteError, SentBatch
from labdiff.remote.remote_bench import RemoteBench
from labdiff.remote.serialisation import Packed, pack
from labdiff.remote.served_bench import LEASE_S, ServedBench

Act = Callable[["Scene"], Sequence[str]]


class Scene:
    """A served mock bench, its owner if it has one, and a time that the attempt lets pass."""

    def __init__(self, owned: bool) -> None:
        self.config, self.now_s = load_bench("mock"), 100.0
        self.bench = open_bench(self.config, 0)
        self.bench.make_safe()
        self.served = ServedBench(self.bench, "", lambda: self.now_s, watch=False)
        self.connection = PickledConnection(self.served)
        self.owner: str | None = None
        if owned:
            self.owner = self.served.attach("Ann").token
            self.served.switch_on(self.owner)
        self.before = self.state()

    def state(self) -> tuple[object, ...]:
        """Return what a stranger must not change."""
        bench = self.bench
        return (
            bench.laser.emission,
            bench.laser.power_mw,
            bench.camera.exposure_ms,
            bench.slm.reported_pattern,
            self.served.status().owner,
        )

    def silent(self) -> None:
        """Let the owner fall silent."""
        self.now_s += LEASE_S + 0.1
        self.served.check_owner()
        self.before = self.state()

    def signs(self) -> list[str]:
        """Return what has changed."""
        after = self.state()
        return [] if after == self.before else [f"{self.before} became {after}"]


def _batch() -> SentBatch:
    return SentBatch(
        1, pack(np.ones((1, 100, 100))), pack(np.zeros((4, 100, 100))), None, 1.0, 0.05
    )


def _tries(scene: Scene, token: Any) -> list[str]:
    """Try with a token everything that moves a device; return what was not refused."""
    calls: list[tuple[Any, ...]] = [
        ("switch_on", token),
        ("operate", token, "laser.emission=", True),
        ("operate", token, "laser.emission=", False),
        ("operate", token, "laser.send_off"),
        ("operate", token, "laser.power_mw=", 1.0),
        ("operate", token, "camera.exposure_ms=", 9.0),
        ("operate", token, "slm.set_phase", pack(np.ones(scene.bench.slm.shape))),
        ("acquire", token, _batch()),
    ]
    taken = [
        str(call[0]) for call in calls if not isinstance(scene.connection.call(*call), RemoteError)
    ]
    scene.connection.call("prefetch", token, _batch())
    if scene.connection.call("beat", token) is not False:
        taken.append("beat")
    scene.connection.call("detach", token)
    return taken


def _attempt(act: Act, owned: bool, folder: Path) -> Sequence[str]:
    del folder
    scene = Scene(owned)
    try:
        return [*act(scene), *scene.signs()]
    finally:
        scene.served.close()


def _token(token: Any, scene: Scene) -> Sequence[str]:
    return _tries(scene, token)


def _near(change: Callable[[str], Any], scene: Scene) -> Sequence[str]:
    """Use a token that is nearly the owner's."""
    return _tries(scene, change(scene.owner or ""))


def _replayed(scene: Scene) -> Sequence[str]:
    """Use the owner's token after the owner fell silent, and after another one has the bench."""
    old = scene.owner
    scene.silent()
    signs = _tries(scene, old)
    other = scene.served.attach("Bob").token
    scene.served.switch_on(other)
    scene.before = scene.state()
    return [*signs, *_tries(scene, old)]


def _given_back(scene: Scene) -> Sequence[str]:
    old = scene.owner
    scene.served.detach(old or "")
    scene.before = scene.state()
    return _tries(scene, old)


def _second(name: str, scene: Scene) -> Sequence[str]:
    """Call as a second client that claims to be the owner."""
    try:
        RemoteBench(scene.config, scene.served.status(), Lease(scene.connection)).close()
    except Exception as error:
        signs = [] if "one owner" in str(error) else [str(error)]
    else:
        signs = ["a second owner"]
    answer = scene.connection.call("attach", name)
    return signs if isinstance(answer, RemoteError) else [*signs, "attached"]


def _named(name: str, scene: Scene) -> Sequence[str]:
    """Own the bench under a name that is to do something where it is shown."""
    scene.connection.call("attach", name)
    status = scene.served.status()
    refused = scene.connection.call("attach", "second")
    shown = [status_line(status), str(refused.error()), str(status.owner)]
    scene.before = scene.state()
    return [f"shown: {text[:60]!r}" for text in shown if not text.isprintable() or len(text) > 400]


def _seen(scene: Scene) -> Sequence[str]:
    """Search for the token in everything that anyone may ask."""
    answers = [scene.connection.call("status"), scene.connection.call("attach", "second")]
    return ["the token is in an answer"] if str(scene.owner) in repr(answers) else []


def _called(what: Any, arguments: tuple[Any, ...], scene: Scene) -> Sequence[str]:
    """Call, as the owner itself, what there is not, or an operation that is not listed."""
    answer = scene.connection.call(what, *[scene.owner if a == "OWNER" else a for a in arguments])
    if not isinstance(answer, RemoteError):
        return [f"answered {answer!r:.80}"]
    return [] if answer.message.isprintable() else ["control codes"]


TOKENS: dict[str, Any] = {
    "empty": "",
    "blank": " ",
    "None": None,
    "a guess": "0" * 32,
    "a number": 0,
    "true": True,
    "bytes": b"",
    "a list": [],
    "the owner's name": "Ann",
    "overlong": "a" * 10**6,
    "control codes": "\x1b[2J\x00",
    "not ASCII": "ü" * 32,
}
NEAR: dict[str, Callable[[str], Any]] = {
    "cut": lambda token: token[:-1],
    "longer": lambda token: token + "0",
    "in capitals": lambda token: token.upper() + "X",
    "with a blank": lambda token: f" {token}",
    "as bytes": str.encode,
    "in a list": lambda token: [token],
}
NAMES = {
    "control codes": "\x1b[2J\x1b]0;owned\x07",
    "two lines": "Ann\nlabdiff: the laser is off",
    "right to left": "\u202egnol si eman eht",
    "a megabyte": "x" * 10**6,
    "markup": "[bold red]\x1b]8;;http://x\x1b\\",
}
CALLS: list[tuple[Any, tuple[Any, ...]]] = [
    ("_bench", ()),
    ("close", ()),
    ("__class__", ()),
    ("operate", ("OWNER", "laser.close")),
    ("operate", ("OWNER", "slm._world")),
    ("operate", ("OWNER", "clock.sleep_s", 1e9)),
    ("operate", ("OWNER", "camera.get_frames", 10**9)),
    ("operate", ("OWNER", "slm.set_phase", Packed((b"",), (False,), "<f8", (1 << 40,)))),
    ("operate", ("OWNER", "slm.set_phase", Packed((b"x" * 8,), (False,), "O", (1,)))),
    ("acquire", ("OWNER", "\x1b[2J")),
]
ATTEMPTS = [
    *(
        Attempt(f"owned: token {n}", partial(_attempt, partial(_token, t), True))
        for n, t in TOKENS.items()
    ),
    *(
        Attempt(f"free: token {name}", partial(_attempt, partial(_token, TOKENS[name]), False))
        for name in ("empty", "blank", "None", "the owner's name")
    ),
    *(
        Attempt(f"owned: token {n}", partial(_attempt, partial(_near, c), True))
        for n, c in NEAR.items()
    ),
    Attempt("a token of a lease that ended by silence", partial(_attempt, _replayed, True)),
    Attempt("a token that was given back", partial(_attempt, _given_back, True)),
    Attempt(
        "a second client of the owner's name", partial(_attempt, partial(_second, "Ann"), True)
    ),
    Attempt("the token in what anyone may ask", partial(_attempt, _seen, True)),
    *(
        Attempt(f"a name with {n}", partial(_attempt, partial(_named, t), False))
        for n, t in NAMES.items()
    ),
    *(
        Attempt(
            f"call {what} {arguments[1:]}",
            partial(_attempt, partial(_called, what, arguments), True),
        )
        for what, arguments in CALLS
    ),
]
