"""The names that labdiff knows: data sets, the paper's selections of them, and Inception weights.

The sources of addresses and checksums are in docs/data.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the internet: its name on disk, its checksum and size, and addresses tried in order."""

    name: str
    sha256: str
    size_bytes: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A data set, or weights, with its downloads.

    Attributes:
        name: by which users name it.
        holds: description of the content.
        home: its web page.
        licence: its licence.
        checksum_by: who published the checksums.
        files: the downloads.
        class_names: by class number; empty if there is only one class.
        within: folder inside a downloaded zip that holds the images; "" for all of it.
        image_size: recommended side, cells.
    """

    name: str
    holds: str
    home: str
    licence: str
    checksum_by: str = ""
    files: tuple[RemoteFile, ...] = ()
    class_names: tuple[str, ...] = ()
    within: str = ""
    image_size: int = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """Part of a data set, under its own name.

    classes: all if empty. image_size: recommended side, cells. limit: largest number of training images.
    """

    name: str
    data_set: str
    classes: tuple[int, ...]
    image_size: int
    limit: int | None = None


def _idx_files(
    addresses: tuple[str, ...], sums: dict[str, tuple[int, str]]
) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(name, sha256, size, tuple(address + name for address in addresses))
        for name, (size, sha256) in sums.items()
    )


_DIGITS = tuple(str(digit) for digit in range(10))

DATA_SETS = {
    entry.name: entry
    for entry in (
        Entry(
            name="digits",
            holds="1,797 digits, 8x8",
            home="scikit-learn (UCI)",
            licence="CC BY 4.0",
            class_names=_DIGITS,
            image_size=10,
        ),
        Entry(
            name="mnist",
            holds="70,000 digits, 28x28",
            home="yann.lecun.com/exdb/mnist",
            licence="CC BY-SA 3.0",
            checksum_by="TensorFlow Datasets",
            class_names=_DIGITS,
            files=_idx_files(
                (
                    "https://storage.googleapis.com/cvdf-datasets/mnist/",
                    "https://ossci-datasets.s3.amazonaws.com/mnist/",
                ),
                {
                    "train-images-idx3-ubyte.gz": (
                        9912422,
                        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                    ),
                    "train-labels-idx1-ubyte.gz": (
                        28881,
                        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                    ),
                    "t10k-images-idx3-ubyte.gz": (
                        1648877,
                        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                    ),
                    "t10k-labels-idx1-ubyte.gz": (
                        4542,
                        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                    ),
                },
            ),
        ),
        Entry(
            name="fashion_mnist",
            holds="70,000 clothes, 28x28",
            home="github.com/zalandoresearch/fashion-mnist",
            licence="MIT",
            checksum_by="TensorFlow Datasets; the authors give MD5",
            class_names=(
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
            files=_idx_files(
                (
                    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
                ),
                {
                    "train-images-idx3-ubyte.gz": (
                        26421880,
                        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                    ),
                    "train-labels-idx1-ubyte.gz": (
                        29515,
                        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                    ),
                    "t10k-images-idx3-ubyte.gz": (
                        4422102,
                        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                    ),
                    "t10k-labels-idx1-ubyte.gz": (
                        5148,
                        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                    ),
                },
            ),
        ),
        Entry(
            name="quickdraw_clock",
            holds="120,536 drawn clocks, 28x28",
            home="github.com/googlecreativelab/quickdraw-dataset",
            licence="CC BY 4.0",
            checksum_by="TensorFlow Datasets; the authors give none",
            files=(
                RemoteFile(
                    "clock.npy",
                    "a109294aab4f0f66be01d753879c3252ac1c0a4955a123b266c36a3c8a3109af",
                    94500304,
                    (
                        "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap/clock.npy",
                    ),
                ),
            ),
        ),
        Entry(
            name="afhq_cat",
            holds="5,153 cat faces, 512x512",
            home="github.com/clovaai/stargan-v2",
            licence="CC BY-NC 4.0",
            checksum_by="LS4GAN/uvcgan2; the authors give none",
            within="train/cat",
            image_size=40,
            files=(
                RemoteFile(
                    "afhq.zip",
                    "7f63dcc14ef58c0e849b59091287e1844da97016073aac20403ae6c6132b950f",
                    729484677,
                    ("https://www.dropbox.com/s/t9l9o3vsx2jai3z/afhq.zip?dl=1",),
                ),
            ),
        ),
    )
}

INCEPTION = Entry(
    name="inception",
    holds="Inception weights for FID and KID",
    home="github.com/mseitzer/pytorch-fid",
    licence="Apache 2.0",
    checksum_by="snap-research/discoscene; the authors' file name has its first 8 digits",
    files=(
        RemoteFile(
            "pt_inception-2015-12-05-6726825d.pth",
            "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            95628359,
            (
                "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
                "pt_inception-2015-12-05-6726825d.pth",
            ),
        ),
    ),
)

ALIASES = {"fashion": "fashion_mnist", "clock": "quickdraw_clock", "afhq-cat": "afhq_cat"}
"""Other names of data sets."""

SELECTIONS = {
    selection.name: selection
    for selection in (
        Selection("mnist-0-2", "mnist", (0, 1, 2), 20),
        Selection("fashion-0-2", "fashion_mnist", (0, 1, 2), 20),
        Selection("clock-20000", "quickdraw_clock", (), 20, limit=20_000),
        Selection("cat-40", "afhq_cat", (), 40),
    )
}
"""The selections on which the paper trained (sections 4.1 and A.2)."""


def selection(name: str) -> Selection | None:
    """Return the selection of a name, which for a data set or an alias is all of it; None if unknown."""
    if name in SELECTIONS:
        return SELECTIONS[name]
    entry = DATA_SETS.get(ALIASES.get(name, name))
    return None if entry is None else Selection(entry.name, entry.name, (), entry.image_size)


def for_training(name: str) -> Selection:
    """Return the selection to train on if the user names no classes: three where there are ten.

    An unknown name is a path, of which everything is selected.
    """
    known = selection(name) or Selection(name, name, (), 20)
    of_ten = (
        name not in SELECTIONS
        and known.data_set in DATA_SETS
        and DATA_SETS[known.data_set].class_names
    )
    return replace(known, classes=(0, 1, 2)) if of_ten else known
