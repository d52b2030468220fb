"""A bench whose devices are elsewhere, for everything that uses a `Bench`.

A calibration asks its devices one by one. A batch is sent there whole and comes back as frames, which are
converted to intensity here.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from drivers.types import Frame
from labdiff.bench.batch import Arrays, NextBatch, ShouldStop
from labdiff.bench.bench import Bench
from labdiff.bench.bench_safety import note_laser_that_may_be_on
from labdiff.bench.compose import patch_layout
from labdiff.config.bench import BenchConfig
from labdiff.config.simulated import simulated_devices
from labdiff.errors import JobStoppedError
from labdiff.remote.lease import Lease
from labdiff.remote.messages import (
    AcquiredBatch,
    BatchMissingError,
    BenchStatus,
    ConnectionLostError,
    LeaseLostError,
    SentBatch,
)
from labdiff.remote.remote_devices import remote_devices
from labdiff.remote.serialisation import pack, unpack

log = logging.getLogger(__name__)


class RemoteBench(Bench):
    """A served bench. It counts as a real one, whatever it is there: it cannot be set back in time.

    status: what it reported. lease: its lease, which is attached here and ends with `make_safe` or `close`.
    """

    def __init__(self, config: BenchConfig, status: BenchStatus, lease: Lease) -> None:
        self.lease = lease
        self._declared_s, self._number = 0.0, 0
        self._prefetched: tuple[Arrays, SentBatch] | None = None
        try:
            lease.attach()
            level = config.camera.saturation_level
            devices = replace(remote_devices(lease.ask, status.dmd), saturation_level=level)
            super().__init__(patch_layout(config), devices)
            self.simulated = simulated_devices(config, self.camera.name)
            self._safety.note_lit()
        except BaseException:
            lease.end()
            raise

    def acquire_raw(
        self, inputs: Arrays, phases_rad: Arrays, should_stop: ShouldStop, next_batch: NextBatch
    ) -> list[Frame]:
        """Return a batch's frames, measured there; again from its start if the connection was lost.

        The batch to come is sent while this one is measured. Raises DeviceDisconnectedError if the
        connection stays lost, and as `Bench.acquire`.

        Args:
            inputs: (B, h, w).
            phases_rad: layers, (N, h, w) or (B, N, h, w).
            should_stop: asked while the answer is awaited; True ends the batch with JobStoppedError.
            next_batch: returns the batch to come, None if it is not known.
        """
        whole, sent_before = self._to_send(inputs, phases_rad)
        batch = replace(whole, inputs=None, layers=None) if sent_before else whole
        asked = [next_batch]

        def stopped() -> bool:
            # Who has switched the laser off on purpose wants no lease that switches it on again.
            return should_stop() or self._safety.switched_off

        def while_waiting() -> None:
            if stopped():
                raise JobStoppedError("stopped during a batch of the bench elsewhere")
            if asked and (coming := asked[0]()) is not None:
                asked.clear()
                self._send_ahead(*coming)

        lease = self.lease
        while True:
            try:
                acquired: AcquiredBatch = lease.call(
                    "acquire", lease.token, batch, while_waiting=while_waiting
                )
                break
            except BatchMissingError as error:
                log.warning("%s", error)
                batch = whole
            except (ConnectionLostError, LeaseLostError) as error:
                log.warning("%s", error)
                batch = whole
                lease.attach_again(error, stopped)
        lease.down.count(acquired.frames)
        self._declared_s = acquired.declared_s
        self.validator.taken = acquired.frames_taken
        self.validator.rejected = acquired.frames_rejected
        self.fault_log.counts = acquired.faults
        frames: list[Frame] = unpack(acquired.frames)
        return frames

    def declared_s(self, inputs: Arrays, phases_rad: Arrays) -> float:
        """Return what the bench reported with the last batch: to ask would wait for the next one's end."""
        return self._declared_s

    @property
    def lit(self) -> bool:
        """Whether this process has the bench; its laser is then on."""
        return self.lease.attached

    def switch_on(self) -> None:
        """Attach the bench; the laser goes on there. Raises JobStoppedError while it is held dark here."""
        if not self.lease.attached:
            self._safety.switch_on_by(self.lease.attach)

    def make_safe(self) -> None:
        """Let go of the bench, which enters the safe state."""
        self.left_unsafe[:] = self.lease.detach()
        self._safety.note_dark()
        for line in self.left_unsafe:
            log.error("the bench elsewhere %s", line)
            if "laser" in line:
                note_laser_that_may_be_on("that of the bench elsewhere", line)

    def close(self) -> None:
        """Let go of the bench and of the connection."""
        self.lease.end()
        try:
            self.make_safe()
        finally:
            self.lease.connection.close()

    def _to_send(self, inputs: Arrays, phases_rad: Arrays) -> tuple[SentBatch, bool]:
        """Return a batch ready to be sent, and whether it was sent ahead."""
        if self._prefetched is not None:
            (held, batch), self._prefetched = self._prefetched, None
            if held is inputs:
                return batch, True
        self._number += 1
        batch = SentBatch(
            self._number,
            pack(np.asarray(inputs)),
            pack(np.asarray(phases_rad)),
            self.display.measured_settle_ms,
            self.packing_step,
            self.most_saturated,
            self.found_saturation,
        )
        self.lease.up.count([batch.inputs, batch.layers])
        return batch, False

    def _send_ahead(self, inputs: Arrays, phases_rad: Arrays) -> None:
        batch, _ = self._to_send(inputs, phases_rad)
        self._prefetched = inputs, batch
        self.lease.connection.send("prefetch", self.lease.token, batch)
