"""The console of the window: Python in a process of its own, with the running engine at hand.

`python -m labdiff.api.console HOST:PORT`, the token in the variable LABDIFF_TOKEN. Lines come in on the
standard input and what they print goes out, each prompt included. `bench` is `labdiff.connect()`.
"""

from __future__ import annotations

import code
import os
import sys

import numpy as np
import numpy.typing as npt

import labdiff
from labdiff.api.connecting import TOKEN_VARIABLE, ConnectedEngine, connect
from labdiff.errors import UserError

FIRST_PROMPT, NEXT_PROMPT = ">>> ", "... "
HELLO = """bench: the window's engine, as of labdiff.connect(); help(bench) lists what it does
frames(10): the next frames; frames(1)[0].pixels is an array
twin(inputs, layers): intensity (B, h, w) that the stored digital twin predicts
The same in a notebook of your own: labdiff gui --serve, then labdiff.connect(); Jupyter comes with
pip install 'labdiff[notebook]'
"""


class Twin:
    """The digital twin of the connected bench, read from its archive when it is first called."""

    def __init__(self, engine: ConnectedEngine) -> None:
        self._engine = engine

    def __call__(
        self, inputs: npt.NDArray[np.floating], layers: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.float32]:
        """Return the intensity (B, h, w) that the twin predicts.

        Args:
            inputs: (B, h, w), radians for an SLM patch, amplitude in 0 ... 1 for a DMD.
            layers: (N, h, w) or (B, N, h, w), radians.
        """
        import torch

        given = [torch.from_numpy(np.asarray(array, np.float32)) for array in (inputs, layers)]
        with torch.no_grad():
            predicted: torch.Tensor = self._engine.twin()(*given)
        return np.asarray(predicted.numpy(), np.float32)

    def __repr__(self) -> str:
        return "<digital twin of the connected bench: twin(inputs, layers)>"


class Console(code.InteractiveConsole):
    """Reads lines from the standard input, without a terminal."""

    def raw_input(self, prompt: str = "") -> str:
        """Return the next line. Raises EOFError at the end of the input."""
        sys.stdout.write(prompt)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")


def main() -> None:
    """Connect, and read lines until the window is gone."""
    sys.ps1, sys.ps2 = FIRST_PROMPT, NEXT_PROMPT
    # Both in the order in which they were written.
    sys.stderr = sys.stdout
    try:
        engine = connect(sys.argv[1])
    except UserError as error:
        raise SystemExit(f"the console cannot begin: {error}") from None
    os.environ.pop(TOKEN_VARIABLE, None)  # what is started from here does not inherit it
    names = {
        "labdiff": labdiff,
        "np": np,
        "bench": engine,
        "frames": engine.frames,
        "twin": Twin(engine),
    }
    with engine:
        Console(names).interact(HELLO, exitmsg="")


if __name__ == "__main__":
    main()
