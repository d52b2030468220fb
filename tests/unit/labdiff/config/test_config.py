from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from labdiff.config.bench import SHIPPED, bench_text, load_bench, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from mock_hardware.settings import MockSettings


def changed(old: str, new: str) -> str:
    text = bench_text("mock")[1]
    assert old in text
    return text.replace(old, new)


def test_shipped_bench_loads() -> None:
    bench = load_bench("mock")
    assert bench.layers == 4
    assert bench.gap_mm == pytest.approx(11.4)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("waist_mm", "waist_um", r"source\.waist_um: unknown key; did you mean 'waist_mm'"),
        ("= 850.0", "= 0.85", r"wavelength_nm = 0\.85: .*greater than or equal to 200"),
        ("bit_depth = 12", "bit_depth = 17", r"camera\.bit_depth = 17: .*less than or equal to 16"),
        ('kind = "slm_patch"', 'kind = "slm"', r"input\.kind = 'slm'.*'slm_patch' or 'dmd'"),
        ("380, 500]", "380, 600]", r"patch_lefts: 600 \+ 100 columns .*allowed is 0 \.\.\. 540"),
        ("380, 500]", "380, 400]", r"patches at 380 and 400 overlap"),
        ("patch_top = 22", "patch_top = 90", r"patch_top: 90 .*allowed is 0 \.\.\. 44"),
        ("[laser]", "[lazer]", r"lazer: unknown key; did you mean 'laser'"),
        ("= 850.0", "= ", "not valid TOML"),
    ],
)
def test_mistakes_name_file_key_value_and_what_is_allowed(old: str, new: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        parse_bench(changed(old, new), "lab.toml")
    assert "lab.toml" in str(caught.value)


def test_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such bench file.*labdiff init"):
        load_bench(str(tmp_path / "nothing.toml"))


def test_options_are_bounded() -> None:
    with pytest.raises(
        UserError, match="TrainingOptions: layer_sets = 0: .*greater than or equal to 1"
    ):
        TrainingOptions(layer_sets=0)
    with pytest.raises(UserError, match="batches: unknown key; did you mean 'batch'"):
        TrainingOptions(batches=4)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="layer_sets"):
        TrainingOptions.model_validate({"layer_sets": 0})


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_benches_list_every_setting(name: str) -> None:
    listed = tomllib.loads(bench_text(name)[1])["mock"]
    for section, field in MockSettings.model_fields.items():
        settings = field.annotation
        if isinstance(settings, type) and issubclass(settings, BaseModel):
            assert list(listed[section]) == list(settings.model_fields)
        else:
            assert section in listed


def test_the_first_bench_has_the_defaults() -> None:
    assert load_bench("mock").mock == MockSettings()


def test_the_papers_bench_is_the_papers() -> None:
    bench = load_bench("mock-paper")
    assert bench.layers == 4 and bench.input.kind == "dmd"
    assert bench.gap_mm == pytest.approx(34.2)
    read_out_px = 260 * 9.2 * bench.relay.magnification / bench.camera.pixel_pitch_um
    assert read_out_px == pytest.approx(130)


@pytest.mark.parametrize("level", [-1, 12, 4096, 70_000])
def test_a_saturation_level_lies_within_the_bit_depth(level: int) -> None:
    text = bench_text("mock")[1]
    with pytest.raises(UserError, match=r"saturation_level") as caught:
        parse_bench(with_key(text, f"saturation_level = {level}"), "bench.toml")
    if level > 0:
        assert str(caught.value) == (
            f"bench.toml: camera.saturation_level = {level}: allowed with bit_depth = 12 is 64 ... 4095, "
            "or 0 for the largest count"
        )
    assert (
        parse_bench(with_key(text, "saturation_level = 3900"), "b").camera.saturation_level == 3900
    )


def with_key(text: str, key: str) -> str:
    """Return the text of a bench file with one more key of its camera."""
    return text.replace("[camera]", f"[camera]\n{key}", 1)
