"""Who has a served bench: nobody, or the one who knows a token that was made here."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from drivers.plain_text import plain_line
from labdiff.remote.messages import BenchInUseError, LeaseLostError

TOKEN_BYTES = 16
"""Random bytes of a token, which nobody guesses."""
NAME_LONGEST = 120
"""Number of characters of an owner's name that are used."""


@dataclass(slots=True)
class _Owner:
    """An owner. heard_s: when it was last heard. ended: its token moves nothing any more."""

    token: str
    name: str
    heard_s: float
    ended: bool = False


def same_token(given: str, token: str) -> bool:
    """Return whether a token that was given is this one, in a time that does not show how much of it is."""
    return hmac.compare_digest(given.encode(errors="replace"), token.encode())


class Ownership:
    """The ownership of a bench. A token counts from `give` until `end`; the bench is free after `release`.

    now_s: returns the time by which silence is counted. silence_s: after which an owner counts as gone.
    """

    def __init__(self, now_s: Callable[[], float], silence_s: float) -> None:
        self._now_s, self._silence_s = now_s, silence_s
        self._owner: _Owner | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str | None:
        """Name of the owner, as it may be shown; None if there is none."""
        owner = self._owner
        return None if owner is None else owner.name

    @property
    def token(self) -> str | None:
        """Token of the owner; None if there is none."""
        owner = self._owner
        return None if owner is None else owner.token

    def give(self, name: object) -> str:
        """Give the bench to whoever asks, and return the token that shows it. Never waits.

        name: how the owner calls itself; it is shown, and means nothing.
        Raises BenchInUseError if somebody has it, or had it and it is not yet at rest.
        """
        with self._lock:
            if self._owner is not None:
                raise BenchInUseError(
                    f"the bench is in use by {self._owner.name}; a bench has one owner. It is free when "
                    f"that run ends, or {self._silence_s:g} s after it falls silent"
                )
            shown = plain_line(name, NAME_LONGEST).strip() or "a user without a name"
            owner = _Owner(secrets.token_hex(TOKEN_BYTES), shown, self._now_s())
            self._owner = owner
            return owner.token

    def is_owner(self, token: object) -> bool:
        """Return whether this is the token of the owner, and it still counts."""
        owner = self._owner
        if owner is None or owner.ended or not isinstance(token, str):
            return False
        return same_token(token, owner.token)

    def check(self, token: object) -> None:
        """Raise LeaseLostError if this is not the owner's token."""
        if not self.is_owner(token):
            raise LeaseLostError(
                "the bench had not heard of this run for a while and rests; it has to be attached again"
            )

    def hear(self, token: object) -> bool:
        """Note that the owner is there; return whether this is its token."""
        owner = self._owner
        if owner is None or not self.is_owner(token):
            return False
        owner.heard_s = self._now_s()
        return True

    def silent_token(self) -> str | None:
        """Return the token of an owner that was silent for too long; None if there is none."""
        owner = self._owner
        if owner is None or self._now_s() - owner.heard_s <= self._silence_s:
            return None
        return owner.token

    def end(self, token: str) -> bool:
        """Let a token count no more; return whether it was the owner's. Not free before `release`."""
        with self._lock:
            owner = self._owner
            if owner is None or owner.token != token:
                return False
            owner.ended = True
            return True

    def end_all(self) -> None:
        """Let whatever token there is count no more."""
        with self._lock:
            if self._owner is not None:
                self._owner.ended = True

    def release(self) -> None:
        """Let others have the bench."""
        self._owner = None
