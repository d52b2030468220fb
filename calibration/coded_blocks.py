"""How much light each block of a patch sends to a focus: blocks coded by phase, all at once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
PISTONS = 2.0 * np.pi * np.arange(3) / 3.0


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of a patch, and where each is focused.

    labels: (h, w) number of the block, -1 where nothing is coded. focus: (blocks,) number of the focus
    to which a block's light is bent. base_rad: (h, w) the lens or lenses that do so. parts: blocks that
    are coded together while all others stand still as the reference; never all blocks of a focus.
    """

    labels: npt.NDArray[np.intp]
    focus: Index
    base_rad: Array
    parts: tuple[Index, ...]

    @property
    def frames(self) -> int:
        """How many frames they take."""
        return sum(len(PISTONS) * _order(len(part)) for part in self.parts)


def coded_amplitudes(
    blocks: Blocks, counts_with: Callable[[Array], Array]
) -> Generator[int, None, tuple[Array, Array]]:
    """Measure each block's amplitude at its focus and its deviation, (blocks,) each, root of counts.

    counts_with: displays a phase (h, w); returns the counts (focuses, pixels) around each focus.

    One part of the blocks is turned by 0 or pi after the rows of a Hadamard matrix, all of it by three
    pistons; the rest is the reference R. Then I = |R|^2 + |M|^2 + 2 Re(R* M exp(j piston)), from which
    R* M follows, and from the rows R* c of each block c: every frame tells of all blocks, and their
    light is seen against the reference, which is far stronger (Popoff et al., Phys. Rev. Lett. 104,
    100601 (2010)). The mean over all rows is |R|^2 + sum |c|^2.
    """
    count = len(blocks.focus)
    amplitude, deviation = np.full(count, np.nan), np.full(count, np.nan)
    done = 0
    rng = np.random.default_rng(0)
    for part in blocks.parts:
        order = _order(len(part))
        # The first column is left out: what the fringing field and the zero order leave in all frames
        # alike would be taken for its light. Columns turned at random: no frame has all blocks in phase,
        # so that exposures can be longer.
        code = scipy.linalg.hadamard(order)[:, 1 : len(part) + 1] * rng.choice(
            [-1.0, 1.0], len(part)
        )
        seen = []
        for row in code:
            turned = np.zeros(count + 1)  # the last for what is not coded, label -1
            turned[part] = np.pi * (row < 0.0)
            moved = np.zeros(count + 1)
            moved[part] = 1.0
            for piston in PISTONS:
                seen.append(counts_with(blocks.base_rad + (turned + moved * piston)[blocks.labels]))
                done += 1
            yield done
        light = np.stack(seen).reshape(order, len(PISTONS), *seen[0].shape)
        crossed = np.tensordot(np.exp(1j * PISTONS), light, axes=(0, 1)) / len(PISTONS)
        # (part, focuses, pixels): R* c of each block at every focus, or its conjugate
        each = np.tensordot(code.T, crossed, axes=1) / order
        mean = light.mean(axis=(0, 1))
        power = (np.abs(each) ** 2).sum(axis=0)
        inside = np.maximum(mean**2 - 4.0 * power, 0.0)
        reference = np.maximum((mean + np.sqrt(inside)) / 2.0, 1e-9)  # |R|^2
        rest = light.mean(axis=1) - reference - np.abs(crossed) ** 2 / reference
        noise = np.sqrt(len(PISTONS)) * rest.std(axis=0)  # of one pixel in one frame
        for index, block in enumerate(part):
            focus = blocks.focus[block]
            strength = np.sqrt(reference[focus])
            found = np.abs(each[index, focus]) / strength
            spread = noise[focus] / (strength * np.sqrt(2.0 * len(PISTONS) * order))
            weight = 1.0 / np.maximum(spread, 1e-9) ** 2
            amplitude[block] = np.average(found, weights=weight)
            deviation[block] = 1.0 / np.sqrt(weight.sum())
    return amplitude, deviation


def block_efficiency(blocks: Blocks, crosstalk_px: float) -> Array:
    """Return the share of the amplitude that the SLM bends to the focus, (blocks,), against a perfect lens.

    Pixels make a staircase of the lens, and the fringing field, a Gaussian of crosstalk_px, passes
    through all phases where the phase falls from 2 pi to 0: the steeper the lens, the more often.
    What counts is the part of the light that turns with the block's piston.
    """
    fine = 4
    lens = np.exp(-1j * _finer(blocks.base_rad, fine))
    mean_field = np.zeros(lens.shape, np.complex128)
    pistons = np.arange(6) * np.pi / 3.0
    for piston in pistons:
        wrapped = np.mod(blocks.base_rad + piston, 2.0 * np.pi).repeat(fine, 0).repeat(fine, 1)
        blurred = scipy.ndimage.gaussian_filter(wrapped, crosstalk_px * fine, mode="nearest")
        mean_field += np.exp(1j * (blurred - piston)) * lens / len(pistons)
    labels = blocks.labels.repeat(fine, 0).repeat(fine, 1).ravel()
    inside = labels >= 0
    count = len(blocks.focus)
    real, imaginary, area = (
        np.bincount(labels[inside], v.ravel()[inside], count)
        for v in (mean_field.real, mean_field.imag, np.ones(lens.shape))
    )
    result: Array = np.hypot(real, imaginary) / np.maximum(area, 1.0)
    return result


def _finer(phase_rad: Array, fine: int) -> Array:
    """Return the smooth phase at `fine` points a pixel and axis; a parabola extends it beyond the rim."""
    result = phase_rad
    for axis in (0, 1):
        size = result.shape[axis]
        places = (np.arange(size * fine) + 0.5) / fine - 0.5
        knots = np.arange(size)
        result = scipy.interpolate.make_interp_spline(knots, result, k=2, axis=axis)(places)
    return result


def _order(count: int) -> int:
    return 1 << count.bit_length()  # more than count
