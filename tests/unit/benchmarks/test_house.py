"""What benchmarks/house.py counts holds always, and it counts what it says."""

import pytest

from benchmarks import house
from benchmarks.house_checks import defaults, imports, parameters, types
from benchmarks.house_checks.source import PRODUCT, Module, modules


def module_of(text: str, path: str = "drivers/x.py") -> Module:
    return Module(path, text)


def test_every_count_keeps_its_bound() -> None:
    claims, places = house.measure()
    broken = [entry["claim"] for entry in claims if not entry["holds"]]
    assert not broken, "\n".join(f"{claim}: {places.get(claim)}" for claim in broken)


def test_circles_are_found() -> None:
    chain = [("a", "b"), ("b", "c"), ("c", "d")]
    assert imports.circles(chain) == []
    assert imports.circles([*chain, ("c", "a")]) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    ("find", "text", "count"),
    [
        (types.not_none_asserts, "assert a is not None and b\nassert c\nassert d is None", 1),
        (types.casts, "cast(int, a)\ntyping.cast(int, a)\nmemoryview(a).cast('B')", 2),
        (types.ignored_errors, "a = 1  # type: ignore[x]\nb = '# type: ignore'", 1),
        (types.device_attributes_by_name, "hasattr(a, 'b')\nsetattr(a, 'b', 1)", 2),
        (types.untyped_tables, "a: dict[str, Any] = {}\nb: dict[str, int] = {}", 1),
    ],
)
def test_what_goes_past_the_type_checker_is_counted(find, text: str, count: int) -> None:
    assert len(find(module_of(text))) == count


def test_self_is_no_parameter() -> None:
    text = "def f(self, a, b): ...\ndef g(a, b, *, c): ...\nlambda a, b, c: 0"
    assert [place.line for place in types.long_signatures(module_of(text), 2)] == [2]


def test_every_module_that_parses_exists() -> None:
    known = {module.path for module in modules(PRODUCT)}
    assert set(types.PARSERS) | set(types.NOT_DEVICES) <= known


def test_lists_of_twin_parameters_are_found_in_any_unit() -> None:
    names = {"z_gap_percent", "crosstalk_px"}
    text = "\n".join(
        (
            "a = ('z_gap_mm', 'crosstalk_px')",
            "b = {'z_gap_percent': 1}",
            "c = [('crosstalk_px', 1), ('z_gap_percent', 2)]",
        )
    )
    places = parameters.parameter_lists(module_of(text), names)
    assert [place.line for place in places] == [1, 3]


def test_defaults_that_are_stated_again_are_found() -> None:
    options = module_of(
        "class TrainingOptions(Section):\n"
        "    batch: int = Field(default=16, ge=1)\n"
        "    sampler: SamplerOptions = SamplerOptions()\n"
        "class SamplerOptions(Section):\n"
        "    eta: float = 1.0\n",
        "labdiff/config/training.py",
    )
    found = defaults.option_defaults([options])
    assert found == {"batch": 16, "eta": 1.0}
    again = module_of("def f(batch=16, eta=1.0): ...\ndef g(batch=8, eta=1.0): ...")
    assert [place.line for place in defaults.repeated_defaults(again, found)] == [1]
    assert defaults.repeated_defaults(options, found) == []
