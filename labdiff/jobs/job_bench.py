"""The bench of a job: opened for it and closed at its end, or lent to it and left open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from drivers.errors import DeviceError
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.calibrations.feasible import require_measurable
from labdiff.calibrations.routines import NEEDED
from labdiff.config.bench import BenchConfig
from labdiff.errors import UserError

MOST_THREADS = 2
"""Threads of torch in a job: images of this size gain nothing by more."""


class JobBench:
    """A bench (None: the job runs on the twin alone) and whether it stays open after the job."""

    def __init__(self, bench: Bench | None = None, stays_open: bool = False) -> None:
        self.bench = bench
        self._stays_open = stays_open
        torch.set_num_threads(min(torch.get_num_threads(), MOST_THREADS))

    @classmethod
    def open(
        cls, config: BenchConfig, seed: int, lent: Bench | None = None, purpose: str = ""
    ) -> JobBench:
        """Return the bench that is lent, or open that of a bench file.

        Args:
            config: the bench file.
            seed: of a mock laboratory.
            lent: a bench of this file that is open already, and stays so.
            purpose: for which the bench has to be calibrated as a whole, as "training"; "" for none.

        Raises UserError if it cannot be opened, or lacks a device that the purpose needs.
        """
        if purpose:
            require_measurable(config, NEEDED, purpose)
        if lent is not None:
            return cls(lent, stays_open=True)
        try:
            return cls(open_bench(config, seed))
        except DeviceError as error:
            raise UserError(f"bench {config.name!r}: {error}") from error

    @contextmanager
    def preparing(self) -> Iterator[Bench | None]:
        """Close a bench that was opened for a job if the job cannot be prepared."""
        try:
            yield self.bench
        except BaseException:
            if self.bench is not None and not self._stays_open:
                self.bench.close()
            raise

    def lit(self) -> AbstractContextManager[Bench | None]:
        """Switch the laser on while a job runs; its end, by whatever way, leaves the bench safe."""
        if self.bench is None:
            return nullcontext()
        return self.bench.lent() if self._stays_open else self.bench
