"""The settings: every effect can be switched off, and alone."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from mock_hardware.settings import UNMODELLED, MockSettings

EFFECTS = sorted(MockSettings.effects())
NAMES = [f"{section}.{name}" for section, name in EFFECTS]


def value(settings: MockSettings, section: str, name: str) -> Any:
    return getattr(getattr(settings, section), name)


def switched_on(settings: MockSettings) -> set[str]:
    return {f"{section}.{name}" for section, name in EFFECTS if value(settings, section, name)}


def fields() -> list[tuple[str, str]]:
    """(section, setting) of everything that has a section, effects and features."""
    return [
        (section, name)
        for section, part in MockSettings()
        if isinstance(part, BaseModel)
        for name in type(part).model_fields
    ]


def all_on() -> MockSettings:
    """Every effect has a value; faults, and what an ordinary bench has not, have none by default."""
    faults = {"dropped": 0.1, "duplicated": 0.1, "torn": 0.1, "late": 0.1}
    camera = {"automatic_gain": 0.5, "lamp": 0.03, "frames_late": 1, "dust": 3}
    slm = {"undeclared_slowdown": 1.0, "unmodulated": 0.1, "pitch_error": 0.01, "dust": 2}
    slm |= {"phase_noise_rad": 0.1, "fringing_growth": 0.1}
    return MockSettings.model_validate(
        {
            "faults": faults,
            "camera": camera,
            "slm": slm,
            "relay": {"ghost": 0.1, "stray": 0.1},
            "drift": {"mode_hop": 0.05, "ripple": 0.05},
            "beam": {"wavelength_error": 0.001},
        }
    )


def test_the_settings_used_here_switch_every_effect_on() -> None:
    assert switched_on(all_on()) == set(NAMES)


@pytest.mark.parametrize(("section", "name"), EFFECTS)
def test_off_is_zero_or_false_for_every_effect_and_keeps_its_type(section: str, name: str) -> None:
    before, after = value(all_on(), section, name), value(all_on().off(), section, name)
    assert not after
    assert type(after) is type(before)


def test_off_leaves_every_feature_as_it_was() -> None:
    settings = MockSettings.model_validate(
        {"slm": {"refresh_hz": 75.0}, "camera": {"packing": "left"}, "samples_per_pixel": 3}
    )
    off = settings.off()
    features = set(fields()) - set(EFFECTS)
    assert len(features) > 20
    for section, name in features:
        assert value(off, section, name) == value(settings, section, name), f"{section}.{name}"
    assert off.samples_per_pixel == 3


def test_off_does_not_touch_the_settings_it_is_made_from() -> None:
    settings = MockSettings()
    settings.off()
    assert settings == MockSettings()


@pytest.mark.parametrize("name", NAMES)
def test_only_leaves_one_effect_with_its_value(name: str) -> None:
    alone = all_on().only(name)
    section, setting = name.split(".")
    assert switched_on(alone) == {name}
    assert value(alone, section, setting) == value(all_on(), section, setting)


def test_only_takes_several_effects_of_one_section_and_of_two() -> None:
    wanted = {"relay.rotation_deg", "relay.offset_px", "camera.shot_noise"}
    assert switched_on(all_on().only(*wanted)) == wanted


def test_an_unknown_effect_is_refused_by_name_and_a_feature_is_none() -> None:
    with pytest.raises(ValueError, match=r"slm\.no_such_effect"):
        MockSettings().only("slm.no_such_effect", "slm.flicker")
    with pytest.raises(ValueError, match=r"slm\.refresh_hz") as refusal:
        MockSettings().only("slm.refresh_hz", "slm.flicker")
    assert "slm.flicker" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ({"slm": {"colour": 1.0}}, "slm.colour"),
        ({"sml": {}}, "sml"),
        ({"camera": {"read_noise_electrons": -1.0}}, "camera.read_noise_electrons"),
        ({"slm": {"crosstalk_px": 3.01}}, "slm.crosstalk_px"),
        ({"slm": {"refresh_hz": 0.0}}, "slm.refresh_hz"),
        ({"camera": {"queue": 0}}, "camera.queue"),
        ({"camera": {"shutter": "curtain"}}, "camera.shutter"),
        ({"dmd": {"mirrors_per_superpixel": 0}}, "dmd.mirrors_per_superpixel"),
        ({"faults": {"dropped": 1.5}}, "faults.dropped"),
        ({"faults": {"script": ["unplugged"]}}, "faults.script"),
        ({"imperfections": "some"}, "imperfections"),
        ({"samples_per_pixel": 0}, "samples_per_pixel"),
    ],
)
def test_an_unknown_key_or_a_value_out_of_range_is_refused_at_its_place(
    text: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        MockSettings.model_validate(text)
    places = [".".join(str(step) for step in error["loc"]) for error in refusal.value.errors()]
    assert places == [place]


@pytest.mark.parametrize(("section", "name"), EFFECTS)
def test_every_effect_may_be_zero_and_none_may_be_negative(section: str, name: str) -> None:
    zero = MockSettings.model_validate({section: {name: 0}})
    assert not value(zero, section, name)
    with pytest.raises(ValidationError):
        MockSettings.model_validate({section: {name: -1e-9}})


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MockSettings().slm.flicker = 0.0  # type: ignore[misc]


def test_imperfections_none_means_off_and_random_means_as_they_are() -> None:
    perfect = MockSettings(imperfections="none")
    assert switched_on(perfect), "the settings keep their values"
    assert perfect.effective() == perfect.off()
    assert not switched_on(perfect.effective())
    assert MockSettings(imperfections="random").effective() == MockSettings()


@pytest.mark.parametrize(("section", "name"), fields())
def test_every_setting_has_a_description(section: str, name: str) -> None:
    assert type(getattr(MockSettings(), section)).model_fields[name].description


def test_unmodelled_sets_what_the_twin_lacks_where_it_is_off() -> None:
    unmodelled = MockSettings.model_validate(
        {"imperfections": "unmodelled", "slm": {"phase_noise_rad": 0.7}}
    )
    there = unmodelled.effective()
    for section, own in UNMODELLED.items():
        for name, dialled in own.items():
            expected = 0.7 if name == "phase_noise_rad" else dialled
            assert value(there, section, name) == expected
            assert value(MockSettings().effective(), section, name) == 0.0
    assert switched_on(MockSettings().effective()) < switched_on(there)
