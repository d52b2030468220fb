"""How the source is built, counted: python benchmarks/house.py [--json].

What is counted is in the six packages of the wheel; the limit of lines is that of tests, benchmarks,
docs and examples too. Every place that was counted is printed, and is in the JSON line under "places".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.claims import Claim, claim, finish, options
from benchmarks.house_checks import defaults, imports, parameters, sizes, types
from benchmarks.house_checks.source import BESIDE, PRODUCT, ROOT, Module, modules

MOST_LINES, MEDIAN_LINES, MOST_PARAMETERS, MOST_ROOT_FILES = 400, 110, 8, 8


def counts(product: Sequence[Module], all_files: Sequence[Module]) -> dict[str, list[str]]:
    """Return what was found under every claim that counts places: the places, as text."""
    twin_names = parameters.parameter_names(product)
    option_defaults = defaults.option_defaults(product)

    def each(find: Callable[[Module], Sequence[object]]) -> list[str]:
        return [str(place) for module in product for place in find(module)]

    return {
        "assert ... is not None": each(types.not_none_asserts),
        "cast": each(types.casts),
        "type: ignore": each(types.ignored_errors),
        "hasattr, getattr, setattr on devices": each(types.device_attributes_by_name),
        f"functions with more than {MOST_PARAMETERS} parameters": each(
            lambda module: types.long_signatures(module, MOST_PARAMETERS)
        ),
        "dict[str, Any] where no TOML or JSON is parsed": each(types.untyped_tables),
        "lists of twin-parameter names, the records counted as one": [
            "the records",
            *each(lambda module: parameters.parameter_lists(module, twin_names)),
        ],
        "places where an option's default stands": [
            defaults.OPTIONS,
            *each(lambda module: defaults.repeated_defaults(module, option_defaults)),
        ],
        "files at the root of labdiff": sizes.root_files(),
        f"files of more than {MOST_LINES} lines": sizes.long_files(all_files, MOST_LINES),
        "import circles among modules": [", ".join(c) for c in imports.module_circles()],
        "import circles among labdiff's sub-packages": [
            ", ".join(c) for c in imports.room_circles()
        ],
    }


MOST = {
    "assert ... is not None": 8,
    "type: ignore": 5,
    "lists of twin-parameter names, the records counted as one": 1,
    "places where an option's default stands": 1,
    "files at the root of labdiff": MOST_ROOT_FILES,
}
"""How many are allowed; 0 of what is not here."""


def measure() -> tuple[list[Claim], dict[str, list[str]]]:
    """Count everything: the claims, and the places that were counted."""
    product = modules(PRODUCT)
    beside = modules(folder for folder in BESIDE if (ROOT / folder).is_dir())
    found = counts(product, [*product, *beside])
    claims = [
        claim(words, len(places), f"<= {MOST.get(words, 0)}") for words, places in found.items()
    ]
    claims.append(
        claim(
            "median lines of a file of the product",
            sizes.median_lines(product),
            f"<= {MEDIAN_LINES}",
        )
    )
    return claims, found


def main() -> None:
    """Count, then print one JSON line."""
    arguments = options(__doc__)
    claims, places = measure()
    if not arguments.json:
        for words, found in places.items():
            print(f"{words}:", *found, sep="\n  ")
        print("TOML or JSON is parsed in:", *map(": ".join, types.PARSERS.items()), sep="\n  ")
    finish("house", claims, arguments.json, places=places, parsers=types.PARSERS)


if __name__ == "__main__":
    main()
