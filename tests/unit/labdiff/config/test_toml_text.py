from __future__ import annotations

from pathlib import Path

import pytest

from labdiff.config.toml_text import MOST_CHARACTERS, parse_toml, read_toml_file
from labdiff.errors import UserError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "a.toml: not valid TOML: cannot be read: Invalid value"),
        ("a = " + "[" * 20_000 + "]" * 20_000, "nested more than 32 deep"),
        ("a = " + "{a=" * 5_000 + "1" + "}" * 5_000, "nested more than 32 deep"),
        (".".join("a" * 20_000) + " = 1", "nested more than 32 deep"),
        ("[" + ".".join("a" * 20_000) + "]", "nested more than 32 deep"),
        ("a = " + "9" * 100_000, "Exceeds the limit"),
    ],
)
def test_what_a_parser_stumbles_over_is_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        parse_toml(text, "a.toml")
    assert "\n" not in str(raised.value)


def test_tables_lists_and_numbers_with_points_are_read() -> None:
    values = parse_toml('\ufeffa.b = [1.25, [2.5]]\n[c.d]\ne = "x.y.z"', "a.toml")
    assert values == {"a": {"b": [1.25, [2.5]]}, "c": {"d": {"e": "x.y.z"}}}


def test_files_of_another_encoding_size_or_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_bytes("name = 'Küche'".encode("latin-1"))
    with pytest.raises(UserError, match="bench.toml: cannot be read: 'utf-8' codec"):
        read_toml_file(path, "a bench file")
    path.write_bytes(b"#" * (MOST_CHARACTERS + 1))
    with pytest.raises(UserError, match="a bench file has at most"):
        read_toml_file(path, "a bench file")
    with pytest.raises(UserError, match="is no regular file"):
        read_toml_file(tmp_path, "a bench file")
    path.write_text("\ufeffname = 1", encoding="utf-8")
    assert read_toml_file(path, "a bench file") == "name = 1"
