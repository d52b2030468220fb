from __future__ import annotations

import gzip
import hashlib
import io
import socket
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from labdiff.cli import data as data_command
from labdiff.data import catalogue
from labdiff.data.catalogue import Entry, RemoteFile
from labdiff.data.download import download
from labdiff.data.download_bar import DownloadBars
from labdiff.data.folder import inception_weights
from labdiff.data.image_set import load_images
from labdiff.errors import JobStoppedError, UserError


@dataclass
class Server:
    """Files by path, on loopback. A file in `cut` breaks off half-way, one in `slow` has no length."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def offer(self, name: str, content: bytes) -> RemoteFile:
        self.files[f"/{name}"] = content
        digest = hashlib.sha256(content).hexdigest()
        return RemoteFile(name, digest, len(content), (f"{self.address}/{name}",))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            offered.asked.append(self.path)
            content = offered.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if self.path in offered.cut else content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    offered = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield offered
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class CountedBar:
    """Bytes so far; `stop_at` is where the user presses Ctrl-C."""

    def __init__(self, stop_at: float = float("inf")) -> None:
        self.total, self.done, self.stop_at = 0, 0, stop_at

    def update(self, count: int, /) -> None:
        self.done += count
        if self.done >= self.stop_at:
            raise KeyboardInterrupt

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def entry(*files: RemoteFile) -> Entry:
    return Entry("mine", "", "", "", files=files)


def test_a_good_file_arrives_and_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(300_000)
    file, bar = server.offer("a.npy", content), CountedBar()
    (arrived,) = download(entry(file), tmp_path / "mine", lambda _: bar)
    assert arrived == tmp_path / "mine" / "a.npy"
    assert arrived.read_bytes() == content
    assert bar.total == bar.done == len(content)
    download(entry(file), tmp_path / "mine", lambda _: CountedBar())
    assert server.asked == ["/a.npy"]


def test_a_damaged_file_on_disk_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    file = server.offer("a.npy", b"right")
    (tmp_path / "a.npy").write_bytes(b"wrong")
    download(entry(file), tmp_path, lambda _: CountedBar())
    assert (tmp_path / "a.npy").read_bytes() == b"right"


def test_the_next_address_is_tried(server: Server, tmp_path: Path) -> None:
    file = server.offer("a.npy", b"right")
    server.files["/wrong"] = b"wrong"
    bad = (f"{server.address}/absent", f"{server.address}/wrong")
    file = replace(file, addresses=(*bad, *file.addresses))
    download(entry(file), tmp_path, lambda _: CountedBar())
    assert server.asked == ["/absent", "/wrong", "/a.npy"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_the_progress_bar_ends_full(server: Server, tmp_path: Path) -> None:
    file = server.offer("a.npy", bytes(150_001))  # no multiple of a chunk
    shown = io.StringIO()
    with DownloadBars(Console(file=shown, force_terminal=True, width=110)) as bars:
        download(entry(file), tmp_path, bars)
    assert "a.npy" in shown.getvalue()
    assert "150.0/150.0 kB" in shown.getvalue()
    shown = io.StringIO()
    with DownloadBars(Console(file=shown)) as bars:
        bars(file)
    assert shown.getvalue() == "a.npy ...\n"


def nothing_but(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    good = server.offer("good.npy", b"good")
    file = replace(server.offer("a.npy", b"other bytes"), sha256="0" * 64)
    with pytest.raises(
        UserError, match=r"a\.npy could not.*its SHA-256 is not 0{64}; the download was deleted"
    ):
        download(entry(file), tmp_path / "mine", lambda _: CountedBar())
    assert nothing_but(tmp_path)
    with pytest.raises(UserError, match="its SHA-256 is not"):
        download(entry(good, file), tmp_path / "mine", lambda _: CountedBar())
    assert nothing_but(tmp_path / "mine", "good.npy")


def test_a_broken_connection_leaves_nothing(server: Server, tmp_path: Path) -> None:
    file = server.offer("a.npy", bytes(300_000))
    server.cut.add("/a.npy")
    with pytest.raises(
        UserError, match="the connection was lost; the incomplete download was deleted"
    ):
        download(entry(file), tmp_path / "mine", lambda _: CountedBar())
    assert nothing_but(tmp_path)


def test_ctrl_c_leaves_nothing(server: Server, tmp_path: Path) -> None:
    file = server.offer("a.npy", bytes(1_000_000))
    with pytest.raises(KeyboardInterrupt):
        download(entry(file), tmp_path / "mine", lambda _: CountedBar(stop_at=200_000))
    assert nothing_but(tmp_path)


def test_no_network_and_no_file_have_different_messages(server: Server, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/a.npy"
        file = RemoteFile("a.npy", "0" * 64, 1, (closed,))
        with pytest.raises(UserError, match="no connection; is there internet.*put it in.*mine"):
            download(entry(file), tmp_path / "mine", lambda _: CountedBar())
    absent = replace(file, addresses=(f"{server.address}/absent",))
    with pytest.raises(UserError, match="the server answered 404 Not Found"):
        download(entry(absent), tmp_path / "mine", lambda _: CountedBar())
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="file: cannot be written"):
        download(entry(file), tmp_path / "file", lambda _: CountedBar())
    assert nothing_but(tmp_path, "file")


def command(*arguments: object) -> str:
    """What `labdiff data ...` prints. Raises what it raises."""
    app = typer.Typer()
    app.callback()(lambda: None)
    data_command.register(app)
    done = CliRunner().invoke(app, ["data", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.astype(np.uint8).tobytes())


def cats(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            picture = io.BytesIO()
            face = Image.linear_gradient("L").resize((64, 64)).rotate(number)
            face.convert("RGB").save(picture, "jpeg")
            archive.writestr(f"afhq/train/cat/{number}.jpg", picture.getvalue())
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture
def offered(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The catalogue's data sets, small, at this server."""
    mnist = {
        "train-images-idx3-ubyte.gz": idx(np.tile(np.arange(28) * 9, (90, 28, 1))),
        "train-labels-idx1-ubyte.gz": idx(np.arange(90) % 3),
        "t10k-images-idx3-ubyte.gz": idx(np.zeros((9, 28, 28))),
        "t10k-labels-idx1-ubyte.gz": idx(np.arange(9) % 3),
    }
    for name, files in {
        "mnist": mnist,
        "quickdraw_clock": {
            "clock.npy": npy(np.tile(np.arange(784) % 256, (100, 1)).astype(np.uint8))
        },
        "afhq_cat": {"afhq.zip": cats(100)},
    }.items():
        small = tuple(server.offer(file, content) for file, content in files.items())
        monkeypatch.setitem(
            catalogue.DATA_SETS, name, replace(catalogue.DATA_SETS[name], files=small)
        )
    return server


@pytest.mark.parametrize(
    ("name", "selection", "counts"),
    [
        ("mnist", "mnist-0-2", (90, 9)),
        ("clock", "clock-20000", (36, 64)),
        ("afhq-cat", "cat-40", (36, 64)),
    ],
)
def test_what_was_got_can_be_loaded(
    offered: Server, tmp_path: Path, name: str, selection: str, counts: tuple[int, int]
) -> None:
    full = catalogue.ALIASES.get(name, name)
    assert f"{full} " in command("list", "--data-dir", tmp_path)
    said = command("get", name, "--data-dir", tmp_path)
    assert str(tmp_path / full) in said.replace(" ", "") or full in said
    assert "licence" in said
    for known in (name, full, selection):
        images = load_images(known, 20, (), tmp_path)
        assert (len(images.train), len(images.test)) == counts
    shown = command("show", selection, "--data-dir", tmp_path, "--out", tmp_path / "sheet.png")
    assert f"{counts[0]} for training" in shown
    assert (tmp_path / "sheet.png").stat().st_size > 100


def test_the_list_is_the_default_and_says_what_is_here(
    offered: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABDIFF_DATA", str(tmp_path))
    assert "clock.npy" not in command()
    assert "SHA-256 right" in command("get", "clock")
    assert "clock.npy" in command()
    np.savez(tmp_path / "afhq_cat.npz", images=np.zeros((100, 4, 4), np.uint8))
    assert "here already" in command("get", "afhq-cat")
    assert "/afhq.zip" not in offered.asked
    for words in ("mnist-0-2", "CC BY-NC 4.0", "built in", "Inception"):
        assert words in command()
    # A download that misses a file is not one that is here.
    command("get", "mnist")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match="with its 4 downloaded file"):
        load_images("mnist", 10)


def test_show_counts_classes(tmp_path: Path) -> None:
    shown = command("show", "digits", "--classes", "0,1", "--image-size", "8")
    assert "8 x 8 288 images, 0% to 100% of white" in shown and " class 0: 149 for" in shown
    assert "class 2" not in shown
    with pytest.raises(UserError, match="--classes a: needs whole numbers"):
        command("show", "digits", "--classes", "a")


def test_get_says_what_can_be_got(
    offered: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        UserError, match=r"data get digits: cannot be downloaded; allowed are mnist.*clock"
    ):
        command("get", "digits")

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("labdiff.data.download._get", pressed)
    with pytest.raises(JobStoppedError):
        command("get", "clock", "--data-dir", tmp_path)
    assert nothing_but(tmp_path)


def test_the_inception_weights_are_found_where_they_were_put(tmp_path: Path) -> None:
    (file,) = catalogue.INCEPTION.files
    assert file.sha256.startswith(Path(file.name).stem.rpartition("-")[2])
    assert inception_weights(tmp_path) is None
    (tmp_path / "inception").mkdir()
    (tmp_path / "inception" / file.name).write_bytes(b"")
    assert inception_weights(tmp_path) == tmp_path / "inception" / file.name


def test_show_takes_what_is_white_and_what_transparent_parts_are_laid_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(80):
        counts = rng.integers(0, 4096, (8, 8)).astype(np.uint16)
        Image.fromarray(counts).save(tmp_path / f"{number:02d}.png")
    with pytest.raises(UserError, match="--white 4095"):
        command("show", tmp_path, "--image-size", "8")
    shown = command("show", tmp_path, "--image-size", "8", "--white", "4095")
    assert "16 images" in shown and "of white, standard deviation" in shown
    with pytest.raises(UserError, match="--background red: allowed are white, black"):
        command("show", "digits", "--background", "red")
