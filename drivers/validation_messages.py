"""Messages for a file that pydantic refused."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, file: str, model: type[BaseModel]) -> str:
    """Return one line for each mistake: file, key, value, what is allowed, and the likely meaning.

    Args:
        error: of pydantic.
        file: name of the file, for the lines.
        model: that was validated.
    """
    lines = []
    for mistake in error.errors():
        path = [str(part) for part in mistake["loc"]]
        key = ".".join(path) or "file"
        if mistake["type"] == "extra_forbidden":
            allowed = _keys_at(model, path[:-1])
            near = difflib.get_close_matches(path[-1], allowed, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(allowed)}"
            lines.append(f"{file}: {key}: unknown key; {hint}")
        elif mistake["type"] == "missing":
            lines.append(f"{file}: {key}: is missing")
        elif mistake["type"] == "value_error":
            lines.append(f"{file}: {mistake['msg'].removeprefix('Value error, ')}")
        else:
            lines.append(f"{file}: {key} = {mistake['input']!r}: {_lower(mistake['msg'])}")
    return "\n".join(lines)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part)
        inner: Any = field.annotation if field else None
        candidates = [inner, *get_args(inner)]
        model = next(
            (c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), model
        )
    return list(model.model_fields)
