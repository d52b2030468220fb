"""Signs, causes and odds: the table is whole, and each cause is named by the signs that it makes."""

from __future__ import annotations

from typing import get_args

import pytest

from calibration.result import Verdict
from calibration.signs import SIGNS, Sign
from labdiff.calibrations.causes import CAUSES, Cause
from labdiff.calibrations.diagnosis import diagnose, with_diagnosis
from labdiff.calibrations.names import ROUTINE_NAMES
from tests.unit.house.prose import ROOT


def test_every_sign_is_described_once_and_made_by_a_cause() -> None:
    assert set(SIGNS) == set(get_args(Sign))
    assert {record.routine for record in SIGNS.values()} <= {*ROUTINE_NAMES, ""}
    assert {sign for cause in CAUSES for sign in cause.signs} == set(SIGNS)


def test_causes_have_names_of_their_own_and_chances() -> None:
    assert len({cause.name for cause in CAUSES}) == len(CAUSES)
    assert all(0.0 < chance < 1.0 for cause in CAUSES for chance in cause.signs.values())


def test_the_documentation_has_every_cause_with_its_signs_and_its_test() -> None:
    text = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    for cause in CAUSES:
        signs = ", ".join(f"{sign} {chance:g}" for sign, chance in cause.signs.items())
        assert f"| {cause.name}: {cause.description} | {signs} | {cause.test} |" in text


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_a_cause_is_among_the_two_named_for_its_likeliest_signs(cause: Cause) -> None:
    chances = sorted(cause.signs.values())
    signs = {sign for sign, chance in cause.signs.items() if chance >= min(0.6, chances[-1])}
    assert cause.name in diagnose({"alignment": signs}, ()).names


def test_two_causes_are_named_with_their_odds_and_the_test_that_decides() -> None:
    found = diagnose({"registration": {"unknown spots", "paths in proportion"}}, ())
    assert found.names == ("gap", "wavelength")
    gap, wavelength = found.likely
    assert gap.probability == pytest.approx(wavelength.probability)
    assert gap.probability + wavelength.probability < 1.0
    verdict = with_diagnosis(Verdict("fail", "no spots", "Run it again."), found)
    assert verdict.causes == found.names
    assert verdict.remedy.startswith("Run it again. Likeliest: the distance")
    assert f"({gap.probability:.0%})" in verdict.remedy
    assert "To decide: Measure the distance with a ruler." in verdict.remedy


def test_the_size_of_the_image_decides_for_the_pitch() -> None:
    signs: set[Sign] = {"unknown spots", "paths in proportion", "size of the image"}
    assert diagnose({"registration": signs}, ()).names[0] == "pitch"


def test_a_sign_that_a_finished_routine_did_not_show_counts_against_its_causes() -> None:
    signs: dict[str, set[Sign]] = {"alignment": {"power of one pattern"}}
    unknown, unseen = (diagnose(signs, done) for done in ((), ("phase response", "alignment")))
    assert unknown.names == ("power flickers", "power wanders")
    # A flicker is seen from frame to frame in every routine; a laser may begin to wander at any time.
    assert unseen.names[0] == "power wanders"
    assert "power flickers" not in unseen.names


def test_without_a_sign_no_cause_is_named() -> None:
    found = diagnose({"alignment": ()}, ROUTINE_NAMES)
    assert found.likely == ()
    verdict = Verdict("fail", "D is large", "Check the bench file.")
    assert with_diagnosis(verdict, found) is verdict
