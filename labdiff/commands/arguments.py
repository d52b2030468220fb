"""Arguments that several commands understand alike."""

from __future__ import annotations

from labdiff.errors import UserError


def class_numbers(text: str) -> tuple[int, ...]:
    """Classes as the user writes them, "0,1,2"; none for all. Raises UserError."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise UserError(f"--classes {text}: needs whole numbers, as 0,1,2") from None


def edge_numbers(text: str) -> tuple[int, ...]:
    """First timesteps of the ranges after the first, as the user writes them, "100,200".

    Raises UserError.
    """
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise UserError(
            f"--timestep-edges {text}: needs whole numbers that rise, as 100,200,400"
        ) from None
