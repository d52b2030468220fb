"""Where image and class prompt lie on a patch."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Writing = Literal["cells", "differential"]
NO_PROMPT = -1
"""Prompt of an image whose class is not given: every block of the strip is dark."""


@dataclass(frozen=True, slots=True)
class InputLayout:
    """An image in whole cells and, where there are prompts, a strip of one block a prompt beside it.

    shape: (h, w) of the patch. image_shape: (H, W). prompts: how many classes can be asked for; 0: the
    image fills the patch. With prompts its cells get narrower, as if it had a column more, and what is
    left at the right, never less wide than a cell, is the strip: its rows are shared out equally.
    writing: "cells", a pixel fills its cell; "differential", the left half of the cell, and its right half
    with the opposite sign (a column in the middle stays at 0). A phase that many cells share is invisible
    to light, and so is how bright a large part of an image is; two signs side by side are not.
    Raises ValueError if the cells or the blocks do not fit, or if cells have no halves.
    """

    shape: tuple[int, int]
    image_shape: tuple[int, int]
    prompts: int = 0
    writing: Writing = "cells"

    def __post_init__(self) -> None:
        (height, width), (rows, columns) = self.shape, self.image_shape
        image, patch = f"{rows}x{columns}", f"{height}x{width} pixels"
        if height % rows or (width % columns and not self.prompts):
            raise ValueError(f"image size {image} does not divide the patch of {patch}")
        if self.prompts and width <= columns:
            raise ValueError(
                f"image size {image} leaves no room for a prompt on the patch of {patch}"
            )
        if self.prompts > rows:
            raise ValueError(
                f"prompts of {self.prompts} classes do not fit beside an image of {rows} rows; "
                "a row each is needed"
            )
        if self.writing == "differential" and self.cell[1] < 2:
            raise ValueError(
                f"differential writing needs cells of two pixels' width; a patch of {width} pixels has "
                f"{self.cell[1]} for each of {columns}"
            )

    @staticmethod
    def sizes_that_fit(
        shape: tuple[int, int], prompts: int = 0, writing: Writing = "cells"
    ) -> list[int]:
        """Return the sides of square images, up to 100, that the patch takes.

        Args:
            shape: (height, width) of the patch, pixels.
            prompts: number of classes that are written beside the image.
            writing: "cells" or "differential".
        """
        sizes = []
        for side in range(2, 101):
            with suppress(ValueError):
                InputLayout(shape, (side, side), prompts, writing)
                sizes.append(side)
        return sizes

    @property
    def cell(self) -> tuple[int, int]:
        """(height, width) in pixels that a pixel of an image fills."""
        columns = self.image_shape[1] + (1 if self.prompts else 0)
        return self.shape[0] // self.image_shape[0], self.shape[1] // columns

    @property
    def image_width(self) -> int:
        """Columns of the patch, from its left, that the image takes."""
        return self.cell[1] * self.image_shape[1]

    def field(self, image: Tensor, prompts: Tensor | None = None) -> Tensor:
        """Return the field (B, h, w) of images (B, H, W): the block asked for is 1, the others -1.

        prompts (B,): block numbers from 0, at the top, or NO_PROMPT; None: no prompt for any image.
        Raises ValueError for prompts where there is no strip, or for a block that is not there.
        """
        cell = self.cell
        filled = image.repeat_interleave(cell[0], 1).repeat_interleave(cell[1], 2)
        if self.writing == "differential":
            filled = filled * self._signs(image.device).to(image)
        if prompts is None:
            prompts = torch.full((len(image),), NO_PROMPT, device=image.device)
        elif prompts.device.type == "cpu" and bool(
            ((prompts < NO_PROMPT) | (prompts >= self.prompts)).any()
        ):
            raise ValueError(f"prompts {prompts.tolist()}: this layout has {self.prompts} blocks")
        if not self.prompts:
            return filled
        height, width = self.shape
        block_of_row = torch.arange(height, device=image.device) * self.prompts // height
        bright = (block_of_row == prompts[:, None]).to(image.dtype)
        strip = (2.0 * bright - 1.0)[:, :, None].expand(-1, -1, width - self.image_width)
        return torch.cat([filled, strip], 2)

    def _signs(self, place: torch.device) -> Tensor:
        """Return 1 in the left half of every cell, -1 in its right half, (image_width,)."""
        width = self.cell[1]
        from_left = torch.arange(self.image_width, device=place) % width
        return torch.sign(width - 1 - 2 * from_left)
