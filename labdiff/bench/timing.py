"""What the declared timing of a bench's devices allows: how soon one frame can follow another."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.types import CameraTiming, Timing


@dataclass(frozen=True, slots=True)
class DeclaredTiming:
    """Of an SLM, a camera, and a DMD if there is one.

    slm_ms: from the command until a pattern stands. triggered: the DMD's trigger output exposes.
    """

    slm_ms: float
    camera: CameraTiming
    dmd: Timing | None = None
    triggered: bool = False

    @property
    def frame_ms(self) -> float:
        """From one frame to the next: the input is written while the frame before is read out.

        Of an SLM, which waits for its next refresh, nothing more overlaps: it may begin to change at once.
        """
        written_ms = self.slm_ms if self.dmd is None else self.dmd.total_ms
        if not self.triggered:
            written_ms = max(written_ms, self.camera.readout_ms)
        return max(written_ms + self.camera.exposed_ms, self.camera.period_ms)

    def batch_ms(self, frames: int, layers_differ: bool = False) -> float:
        """Return the time of a batch after another.

        With a DMD the SLM is written once for it, or for each frame.
        """
        writes = 0 if self.dmd is None else frames if layers_differ else 1
        return frames * self.frame_ms + writes * self.slm_ms

    def image_ms(self, steps: int, layer_sets: int, batch: int) -> float:
        """Return the time of one image of a batch; each layer set is displayed once for all images.

        Args:
            steps: number of denoising steps of an image.
            layer_sets: number of layer sets.
            batch: number of images that are generated together.
        """
        layers_ms = 0.0 if self.dmd is None else layer_sets * self.slm_ms / batch
        return steps * self.frame_ms + layers_ms
