"""Messages between a window that serves its engine and a script: JSON and raw arrays, nothing else.

A message is four bytes with the length of a header, the header (JSON), and the bytes of the arrays that the
header declares. Nothing is unpickled, and nothing is read whose size was not checked before.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from labdiff.errors import UserError

PROTOCOL = 1
LONGEST_HEADER = 1 << 20
GREETING_LONGEST = 1 << 10
"""Length of the longest header of somebody who has not shown the token."""
MOST_BYTES = 1 << 28
"""Size of all arrays of a message, at most."""
DTYPES = ("<f4", "<f8", "|u1", "<u2")
MESSAGE_WITHIN_S = 30.0
"""Time in which a message that has begun has to be whole."""

Fields: TypeAlias = dict[str, object]
Array: TypeAlias = npt.NDArray[Any]


class ClosedError(Exception):
    """Raised when the other side has closed the connection."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its fields, and its arrays in order."""

    fields: Fields
    arrays: tuple[Array, ...] = ()


def send_message(connection: socket.socket, fields: Fields, arrays: Sequence[Array] = ()) -> None:
    """Send a message.

    Args:
        connection: To whom.
        fields: What JSON can say.
        arrays: Arrays of one of `DTYPES`.

    Raises:
        OSError: If the connection is broken.
    """
    sent = [np.ascontiguousarray(array) for array in arrays]
    declared = [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in sent]
    header = json.dumps({**fields, "arrays": declared}, allow_nan=False).encode()
    connection.sendall(struct.pack(">I", len(header)) + header)
    for array in sent:
        connection.sendall(array.tobytes())


def receive_message(
    connection: socket.socket,
    longest: int = LONGEST_HEADER,
    most_bytes: int = MOST_BYTES,
    begins_within_s: float | None = None,
) -> Message:
    """Wait for a message and return it.

    Args:
        connection: From whom.
        longest: Length of the longest header that is read.
        most_bytes: Size of all arrays that is read.
        begins_within_s: Time in which it has to begin; None for no limit.

    Raises:
        ClosedError: If the connection was closed, or is broken.
        UserError: If what came is no message, or is too large.
        TimeoutError: If it did not come, or not as a whole, in time.
    """
    connection.settimeout(begins_within_s)
    first = _receive(connection, 1, None)
    until_s = time.monotonic() + (MESSAGE_WITHIN_S if begins_within_s is None else begins_within_s)
    (length,) = struct.unpack(">I", first + _receive(connection, 3, until_s))
    if length > longest:
        raise UserError(f"a message of {length} bytes is not taken; at most {longest} are")
    try:
        fields = json.loads(_receive(connection, length, until_s), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UserError("a message is no JSON") from None
    if not isinstance(fields, dict):
        raise UserError("a message is a JSON object")
    shapes = _declared(fields.pop("arrays", []), most_bytes)
    arrays = []
    for dtype, shape in shapes:
        content = _receive(connection, math.prod(shape) * dtype.itemsize, until_s)
        arrays.append(np.frombuffer(content, dtype).reshape(shape))
    return Message(fields, tuple(arrays))


def proof(token: str, side: str, nonces: tuple[str, str]) -> str:
    """Return what shows that a side knows the token, without sending it.

    Args:
        token: The token.
        side: "client" or "server".
        nonces: What the server and the client have drawn for this connection.
    """
    text = f"labdiff:{side}:{nonces[0]}:{nonces[1]}"
    return hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_proof(given: object, expected: str) -> bool:
    """Return whether a proof is the expected one, in a time that does not show how much of it is."""
    return isinstance(given, str) and hmac.compare_digest(
        given.encode(errors="replace"), expected.encode()
    )


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _declared(declared: object, most_bytes: int) -> list[tuple[np.dtype[Any], tuple[int, ...]]]:
    """Return the arrays that a header declares. Raises UserError for what is not taken."""
    found: list[tuple[np.dtype[Any], tuple[int, ...]]] = []
    size = 0
    for entry in declared if isinstance(declared, list) else [None]:
        dtype = entry.get("dtype") if isinstance(entry, dict) else None
        shape = entry.get("shape") if isinstance(entry, dict) else None
        whole = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
        if dtype not in DTYPES or not whole or not isinstance(shape, list) or len(shape) > 4:
            raise UserError(f"an array is declared by shape and dtype, one of {', '.join(DTYPES)}")
        kind = np.dtype(dtype)
        size += math.prod(shape) * kind.itemsize
        if size > most_bytes or len(found) > 3:
            raise UserError(f"arrays of more than {most_bytes >> 20} MB are not taken")
        found.append((kind, tuple(shape)))
    return found


def _receive(connection: socket.socket, count: int, until_s: float | None) -> bytes:
    """Return so many bytes. until_s: by the monotonic clock, when they have to be there."""
    content = bytearray()
    while len(content) < count:
        if until_s is not None:
            left_s = until_s - time.monotonic()
            if left_s <= 0.0:
                raise TimeoutError("a message was not whole in time")
            connection.settimeout(left_s)
        try:
            part = connection.recv(min(count - len(content), 1 << 20))
        except TimeoutError:
            raise
        except OSError as error:
            raise ClosedError(str(error)) from None
        if not part:
            raise ClosedError("the other side has closed the connection")
        content += part
    return bytes(content)
