"""Arguments that several commands understand alike."""

from __future__ import annotations

from labdiff.errors import UserError


def class_numbers(text: str) -> tuple[int, ...]:
    """Classes as the user writes them, "0,1,2"; none for all. Raises UserError."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise UserError(f"--classes {text}: needs whole numbers, as 0,1,2") from None
