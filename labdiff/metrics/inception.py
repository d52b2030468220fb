"""Inception-v3 as it is used for FID: 2,048 pool features of an image, without torchvision.

Szegedy 2016 with the particulars of the network whose features Heusel 2017 took: average pools that do not
count their padding, and a max pool in the last block. The weights are the commonly used ones in PyTorch's
form, a state_dict, `inception_v3_fid_features.pth`; they end at the pool: no class probabilities.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from drivers.plain_text import plain_line
from labdiff.data.folder import data_folder, inception_weights
from labdiff.errors import UserError
from labdiff.metrics.features import FeatureExtractor

WEIGHTS_FILE = "inception_v3_fid_features.pth"
"""Name of the file of weights in the data folder."""
FEATURES = 2048
"""Number of features."""
SIDE = 299
"""Side of the images that enter the network, pixels."""
PREPARATION = (
    "grey to three channels, torch bilinear to 299x299, align_corners=False, antialias off"
)
"""Description of what is done to an image before it enters the network."""
NOT_NEEDED = ("fc.", "AuxLogits.")
"""Prefixes of the weights of classifiers, which some copies of the file hold too."""


class ConvNorm(nn.Module):
    """Convolution without bias, batch norm, ReLU.

    Args:
        inputs: number of channels of the input.
        outputs: number of channels of the output.
        kernel: size of the convolution's kernel.
        stride: of the convolution.
        padding: of the convolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, h', w') of x, (B, inputs, h, w)."""
        out: Tensor = functional.relu(self.bn(self.conv(x)), inplace=True)
        return out


def _average(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _largest(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


class BlockA(nn.Module):
    """35 x 35: 1x1, 5x5, twice 3x3, pool."""

    def __init__(self, inputs: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = ConvNorm(inputs, 64, 1)
        self.branch5x5_1 = ConvNorm(inputs, 48, 1)
        self.branch5x5_2 = ConvNorm(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = ConvNorm(inputs, 64, 1)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, padding=1)
        self.branch_pool = ConvNorm(inputs, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenated branches, (B, channels, h, w)."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_average(x))], 1)


class BlockB(nn.Module):
    """35 x 35 to 17 x 17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = ConvNorm(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = ConvNorm(inputs, 64, 1)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenated branches, (B, channels, h, w)."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, functional.max_pool2d(x, 3, stride=2)], 1)


class BlockC(nn.Module):
    """17 x 17: convolutions of 7, split into a row and a column."""

    def __init__(self, inputs: int, middle: int) -> None:
        super().__init__()
        row, column = ((1, 7), (0, 3)), ((7, 1), (3, 0))
        self.branch1x1 = ConvNorm(inputs, 192, 1)
        self.branch7x7_1 = ConvNorm(inputs, middle, 1)
        self.branch7x7_2 = ConvNorm(middle, middle, row[0], padding=row[1])
        self.branch7x7_3 = ConvNorm(middle, 192, column[0], padding=column[1])
        self.branch7x7dbl_1 = ConvNorm(inputs, middle, 1)
        self.branch7x7dbl_2 = ConvNorm(middle, middle, column[0], padding=column[1])
        self.branch7x7dbl_3 = ConvNorm(middle, middle, row[0], padding=row[1])
        self.branch7x7dbl_4 = ConvNorm(middle, middle, column[0], padding=column[1])
        self.branch7x7dbl_5 = ConvNorm(middle, 192, row[0], padding=row[1])
        self.branch_pool = ConvNorm(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenated branches, (B, channels, h, w)."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_average(x))], 1)


class BlockD(nn.Module):
    """17 x 17 to 8 x 8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = ConvNorm(inputs, 192, 1)
        self.branch3x3_2 = ConvNorm(192, 320, 3, stride=2)
        self.branch7x7x3_1 = ConvNorm(inputs, 192, 1)
        self.branch7x7x3_2 = ConvNorm(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = ConvNorm(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = ConvNorm(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenated branches, (B, channels, h, w)."""
        seven = self.branch7x7x3_2(self.branch7x7x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(seven))
        three = self.branch3x3_2(self.branch3x3_1(x))
        return torch.cat([three, seven, functional.max_pool2d(x, 3, stride=2)], 1)


class BlockE(nn.Module):
    """8 x 8; `last`: pooled by the largest value, as in the FID network's last block alone."""

    def __init__(self, inputs: int, last: bool) -> None:
        super().__init__()
        self.pool = _largest if last else _average
        row, column = ((1, 3), (0, 1)), ((3, 1), (1, 0))
        self.branch1x1 = ConvNorm(inputs, 320, 1)
        self.branch3x3_1 = ConvNorm(inputs, 384, 1)
        self.branch3x3_2a = ConvNorm(384, 384, row[0], padding=row[1])
        self.branch3x3_2b = ConvNorm(384, 384, column[0], padding=column[1])
        self.branch3x3dbl_1 = ConvNorm(inputs, 448, 1)
        self.branch3x3dbl_2 = ConvNorm(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = ConvNorm(384, 384, row[0], padding=row[1])
        self.branch3x3dbl_3b = ConvNorm(384, 384, column[0], padding=column[1])
        self.branch_pool = ConvNorm(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenated branches, (B, channels, h, w)."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([*parts, self.branch_pool(self.pool(x))], 1)


class InceptionV3(nn.Module):
    """The network up to the last pool; modules are named as in the file of weights."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvNorm(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvNorm(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvNorm(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = ConvNorm(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNorm(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c = BlockA(192, pool=32), BlockA(256, pool=64)
        self.Mixed_5d = BlockA(288, pool=64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c = BlockC(768, middle=128), BlockC(768, middle=160)
        self.Mixed_6d, self.Mixed_6e = BlockC(768, middle=160), BlockC(768, middle=192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, last=False), BlockE(2048, last=True)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (B, 2048) of grey images (B, H, W) in -1 ... 1."""
        x = images.clamp(-1.0, 1.0)[:, None]
        x = functional.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False)
        # With channels next to each other in memory a CPU takes two thirds of the time.
        x = x.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, stride=2)
        x = functional.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, stride=2)
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        pooled: Tensor = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))
        return pooled


def load_inception(path: Path) -> InceptionV3:
    """Load the network with the weights of a file, in evaluation mode.

    Raises UserError if the file cannot be read, is no state_dict, or not this network's.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of Inception weights") from None
    except Exception as error:  # a damaged file makes torch raise whatever it may
        reason = plain_line(str(error).partition("\n")[0]) or type(error).__name__
        raise UserError(f"{path}: not readable as Inception weights: {reason}") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path}: not a state_dict of Inception weights")
    state = {name: v for name, v in state.items() if not name.startswith(NOT_NEEDED)}
    with torch.device("meta"):
        network = InceptionV3()
    wanted = {
        k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")
    }
    for name, value in wanted.items():
        if name not in state:
            raise UserError(f"{path}: not the weights of the FID Inception-v3: {name} is missing")
        if state[name].shape != value.shape:
            raise UserError(
                f"{path}: not the weights of the FID Inception-v3: {name} has shape "
                f"{tuple(state[name].shape)}; expected {tuple(value.shape)}"
            )
    network = network.to_empty(device="cpu")
    network.load_state_dict({name: state[name] for name in wanted}, strict=False)
    return network.eval().requires_grad_(False)


def find_inception(weights: Path | None, data_dir: Path | None = None) -> Path | None:
    """Return the file of weights: the one given, else one in the data folder, else None.

    In the data folder: WEIGHTS_FILE, or the download of `labdiff data get inception`.
    """
    if weights is not None:
        return weights
    named = data_folder(data_dir) / WEIGHTS_FILE
    return named if named.is_file() else inception_weights(data_dir)


def inception_features(path: Path) -> FeatureExtractor:
    """Return the extractor of the standard FID features. Raises UserError like `load_inception`."""
    return FeatureExtractor("inception", load_inception(path), PREPARATION)
