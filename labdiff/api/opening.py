"""Open a bench for a notebook or a script, and leave it safe however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.errors import DeviceError
from drivers.operator import Operator, operator_of_terminal, set_operator, someone_is_asked
from labdiff.api.safe_exit import close_at_exit
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench as open_devices
from labdiff.bench.origin import BenchOrigin, archive_folder
from labdiff.config.bench import BenchFile, parse_bench, read_bench_file
from labdiff.errors import UserError

SERVED = "ray://"
"""Beginning of the address of a served bench: ray://HOST:PORT."""


def open_bench(
    bench: str | Path = "mock", *, seed: int = 0, operator: Operator | None = None
) -> Bench:
    """Open a bench; its laser is off until it is entered.

    In a script enter it: then its end, by whatever way, switches the laser off, flattens the SLM and
    closes the devices. In a notebook call `switch_on`, `make_safe` and `close`; labdiff's functions do so
    themselves. The end of the program closes a bench that was left open.

    Args:
        bench: A bench file, the name of a shipped bench ("mock", "mock-small", "mock-paper"), or the
            address of a bench that another computer serves, "ray://HOST:PORT".
        seed: Of the hidden imperfections of a mock bench; a real one has none.
        operator: Called with what a person has to do by hand, as on a laser without a line; returns True
            when it was done. None: the person at the terminal, if there is one.

    Returns:
        The bench.

    Raises:
        UserError: If the bench file is wrong, or a device is not there.

    Example:
        >>> with labdiff.open_bench("mock-small", seed=0) as bench:
        ...     bench.show(np.zeros((bench.planes, *bench.layout.patch_shape)))
        ...     pixels = bench.camera.get_frame().pixels
    """
    if operator is not None or not someone_is_asked():
        set_operator(operator or operator_of_terminal())
    name = str(bench)
    try:
        opened, origin = _connect(name, seed) if name.startswith(SERVED) else _open(name, seed)
    except DeviceError as error:
        raise UserError(f"bench {name!r}: {error}") from error
    opened.origin = origin
    close_at_exit(opened)
    return opened


def _open(name: str, seed: int) -> tuple[Bench, BenchOrigin]:
    file = read_bench_file(name)
    simulated = file.config.camera.driver == "mock"
    archive = archive_folder(file.source, simulated, seed)
    return open_devices(file.config, seed), BenchOrigin(file, seed, archive)


def _connect(address: str, seed: int) -> tuple[Bench, BenchOrigin]:
    from labdiff.remote.ray_connection import connect_bench

    where = address.removeprefix(SERVED)
    bench, text = connect_bench(where)
    file = BenchFile(address, text, parse_bench(text, f"bench at {where}"))
    archive = Path("runs", "calibration", "remote-" + where.replace(":", "-"))
    return bench, BenchOrigin(file, seed, archive)


def origin_of(bench: Bench) -> BenchOrigin:
    """Return where a bench comes from. Raises UserError if it was not opened by `open_bench`."""
    if bench.origin is None:
        raise UserError("bench: has no bench file; open it with labdiff.open_bench")
    return bench.origin


@contextmanager
def borrowed(bench: Bench | str | Path, seed: int) -> Iterator[Bench]:
    """Yield a bench for a job.

    One that is open stays so, and is lit afterwards if it was before; a job that fails leaves it safe.
    One that is named is opened, and closed at the end.

    Args:
        bench: An open bench, or what `open_bench` takes.
        seed: Of a mock bench that is opened.
    """
    if isinstance(bench, Bench):
        lit = bench.lit
        yield bench
        if lit:
            bench.switch_on()
        return
    opened = open_bench(bench, seed=seed)
    try:
        yield opened
    finally:
        opened.close()
