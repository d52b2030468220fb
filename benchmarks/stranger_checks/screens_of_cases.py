"""The cases' benches whose SLM is a monitor: 10 bits on an output of 8, makers' files, slow crystals."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from benchmarks.stranger_checks.case import StrangerCase
from drivers.slm.window_files import place
from drivers.slm.window_link import running_windows
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from mock_hardware.visa.line import TcpLine
from tests.contracts.line_dialects import Dialect, DialectLaser
from tests.contracts.screens import offscreen

SHAPE = (64, 160)
STROKE_RAD = 2.4 * np.pi
"""Phase of the largest level of the panel of the file of phases."""
Act = Callable[[Bench], bool]


def cases(folder: Path) -> list[StrangerCase]:
    """Return the cases. folder: of the cases' bench files."""
    return [
        StrangerCase("screen_plain.toml", partial(_case, folder / "screen_plain.toml", _plain)),
        StrangerCase(
            "screen_ten_bits.toml", partial(_case, folder / "screen_ten_bits.toml", _never)
        ),
        StrangerCase("screen_slow.toml", partial(_case, folder / "screen_slow.toml", _slow)),
        *(
            StrangerCase(
                f"{name}, its file {'there' if there else 'missing'}",
                partial(_case, folder / name, act if there else _never, there),
            )
            for name, act in (
                ("screen_correction.toml", _corrected),
                ("screen_lut.toml", _straight),
            )
            for there in (True, False)
        ),
    ]


def _case(path: Path, act: Act, files: bool = False) -> bool:
    """Open a bench file of the cases on an offscreen monitor, and let it act."""
    with _bench(path, files) as bench:
        return act(bench)


@contextmanager
def _bench(path: Path, files: bool) -> Iterator[Bench]:
    text = path.read_text(encoding="utf-8")
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        offscreen(Path(folder), SHAPE, patch),
        TcpLine(DialectLaser(Dialect()).speak) as laser,
    ):
        patch.setenv("PYLON_CAMEMU", "1")
        if files:
            Image.fromarray(_map_levels()).save("CAL_LSH0800001_850nm.bmp")
            rows = (f"{level};{phase:.6f}" for level, phase in enumerate(_phases_rad()))
            Path("deltaLUT_850nm.csv").write_text("\n".join(rows), encoding="utf-8")
        text = text.replace("TCPIP::127.0.0.1::5025::SOCKET", laser.address)
        bench = open_bench(parse_bench(text, path.name), 0)
        try:
            yield bench
        finally:
            bench.close()
        patch.chdir(path.parent)  # Windows removes no folder that a program stands in


def _map_levels() -> npt.NDArray[np.uint8]:
    """Return a flatness map, levels of which 256 mean 2 pi."""
    rows, columns = np.indices(SHAPE)
    levels: npt.NDArray[np.uint8] = ((3 * rows + 2 * columns) % 256).astype(np.uint8)
    return levels


def _phases_rad() -> npt.NDArray[np.float64]:
    return STROKE_RAD * (np.arange(256) / 255.0) ** 1.2


def _shown(bench: Bench, phase_rad: float) -> npt.NDArray[np.uint8]:
    """Display a constant phase; return the levels that lie in the window's memory."""
    bench.slm.set_phase(np.full(SHAPE, phase_rad))
    (state,) = running_windows()
    levels = np.memmap(place(state.ticket, "pixels"), np.uint8, "r", 0, SHAPE)
    return np.array(levels)


def _plain(bench: Bench) -> bool:
    return bool((_shown(bench, np.pi) == 128).all())


def _never(bench: Bench) -> bool:
    return False


def _slow(bench: Bench) -> bool:
    return bench.slm.timing.total_ms >= 150.0 and _plain(bench)


def _corrected(bench: Bench) -> bool:
    return bool(np.array_equal(_shown(bench, 0.0), _map_levels()))


def _straight(bench: Bench) -> bool:
    phases = _phases_rad()
    return all(
        np.abs(phases[_shown(bench, wanted)] - wanted).max() < np.diff(phases).max()
        for wanted in (0.5, np.pi, 5.5)
    )
