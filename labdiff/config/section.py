"""The base of every section of a bench file or an options file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Named values that are checked when they are made, and never change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
