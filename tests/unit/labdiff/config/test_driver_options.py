from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from drivers.errors import DeviceValueError
from drivers.protocols import SLM
from drivers.registry import DriverKind
from drivers.settings import NoOptions, SlmSettings
from labdiff.config.driver_options import driver_options, find_driver
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

    @classmethod
    def from_settings(cls, settings: SlmSettings[Knobs]) -> Device:
        return cls()


class Plain(Device):
    Options = NoOptions  # type: ignore[assignment]


KIND = DriverKind("slm", SLM, {"knobs": lambda: Device, "plain": lambda: Plain})


def options(driver: str, given: dict[str, Any]) -> object:
    wanted = find_driver(KIND, driver).Options
    return driver_options("slm", driver, wanted, given)


def test_options_reach_the_driver_as_its_own_dataclass() -> None:
    assert options("knobs", {}) == Knobs()
    assert options("knobs", {"edge": "falling"}) == Knobs("falling")
    assert options("plain", {}) == NoOptions()


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
def test_mistakes_are_refused_with_their_remedy(
    driver: str, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        options(driver, given)
