from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from drivers import registry
from drivers.errors import DeviceValueError
from labdiff.config.driver_options import driver_options
from labdiff.errors import UserError


@dataclass(frozen=True)
class Knobs:
    edge: Literal["rising", "falling"] = "rising"
    delay_ms: Annotated[float, Field(ge=0.0)] = 0.0

    def __post_init__(self) -> None:
        if self.edge == "falling" and self.delay_ms:
            raise DeviceValueError("a falling edge takes no delay")


class Device:
    Options = Knobs


class Plain:
    pass


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"knobs": f"{__name__}:Device", "plain": f"{__name__}:Plain"}
    monkeypatch.setitem(registry.DRIVERS, "slm", here)


def test_options_reach_the_driver_as_its_own_dataclass() -> None:
    assert driver_options("slm", "knobs", {}) == {"options": Knobs()}
    found = driver_options("slm", "knobs", {"edge": "falling"})
    assert found == {"options": Knobs("falling")}
    assert driver_options("slm", "plain", {}) == {}


@pytest.mark.parametrize(
    ("driver", "given", "words"),
    [
        ("knobs", {"egde": "rising"}, r"slm\.options: egde: unknown key; did you mean 'edge'"),
        ("knobs", {"edge": "up"}, r"slm\.options: edge = 'up': .*'rising' or 'falling'"),
        ("knobs", {"delay_ms": -1.0}, r"delay_ms = -1\.0: .*greater than or equal to 0"),
        ("knobs", {"edge": "falling", "delay_ms": 1.0}, "options: a falling edge takes no delay"),
        ("plain", {"edge": "rising"}, "'plain' takes none"),
        ("knbos", {}, r"slm\.driver: .*Did you mean 'knobs'"),
    ],
)
def test_mistakes_are_said_in_words(driver: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        driver_options("slm", driver, given)
