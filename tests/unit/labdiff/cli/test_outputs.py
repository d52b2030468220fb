"""Where a command writes is tried before its work; lost output ends in one line and a code of its own."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labdiff import atomic_write
from labdiff.atomic_write import try_writing, write_atomically
from labdiff.cli import generate, init, report, reproduce
from labdiff.cli.main import EXIT_USER, guarded
from labdiff.cli.outputs import (
    EXIT_NO_READER,
    EXIT_OUTPUT,
    check_output_file,
    check_output_folder,
    end_output,
    open_missing_streams,
)
from labdiff.config.toml_text import read_toml_file
from labdiff.data.catalogue import DATA_SETS
from labdiff.data.download import download
from labdiff.errors import UserError

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices by name")


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def in_the_way(tmp_path: Path) -> Path:
    """A path below a file: no folder can be made there, whoever asks."""
    (tmp_path / "file").write_text("x")
    return tmp_path / "file" / "below"


def test_trying_leaves_nothing_behind(tmp_path: Path) -> None:
    check_output_file(tmp_path / "new" / "report.html")
    check_output_folder(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_target_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"below.a\.png: cannot be written: .*--out"):
        check_output_file(in_the_way(tmp_path) / "a.png")
    with pytest.raises(UserError, match=r"below: cannot be written: .*--out"):
        check_output_folder(tmp_path / "file" / "below")
    with pytest.raises(UserError, match="is a folder"):
        check_output_file(tmp_path)


def test_a_full_disk_is_found_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic_write.os, "fsync", full_disk)
    with pytest.raises(UserError, match="No space left on device"):
        check_output_folder(tmp_path)
    with pytest.raises(OSError):
        try_writing(tmp_path)
    assert list(tmp_path.iterdir()) == []


@needs_posix
def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        with pytest.raises(UserError, match="is no regular file"):
            check_output_file(path)
        with pytest.raises(OSError, match="is no regular file"):
            write_atomically(path, b"x")
    assert pipe.is_fifo()


@needs_posix
def test_devices_and_pipes_are_no_input(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path / "pipe.toml", Path("/dev/zero")):
        with pytest.raises(UserError, match="is no regular file; expected a bench file"):
            read_toml_file(path, "a bench file")


def no_work(*_: object, **__: object) -> None:
    raise AssertionError("the work began")


def test_generate_tries_before_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labdiff.cli.generated_picture.generate_picture", no_work)
    arguments = generate.GenerateArguments(out=in_the_way(tmp_path) / "a.png")
    with pytest.raises(UserError, match="cannot be written"):
        generate._generate(arguments, {})


def test_report_tries_before_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labdiff.reports.run_report.write_report", no_work)
    monkeypatch.setattr("labdiff.runs.reader.read_run", lambda path: path)
    with pytest.raises(UserError, match="cannot be written"):
        report._report(tmp_path / "run.h5", in_the_way(tmp_path) / "a.html")


def test_reproduce_tries_before_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from labdiff.cli.main import application

    monkeypatch.setattr("labdiff.job.run", no_work)
    monkeypatch.setattr("labdiff.reproduce.results.open_result", lambda *_: iter(()))
    asked = ["reproduce", "table1", "--out", str(in_the_way(tmp_path))]
    found = CliRunner().invoke(application(), asked)
    assert isinstance(found.exception, UserError) and "cannot be written" in str(found.exception)
    assert reproduce.__doc__


def test_data_get_tries_before_it_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labdiff.data.download.pooch.retrieve", no_work)
    monkeypatch.setattr(atomic_write.os, "fsync", full_disk)
    with pytest.raises(UserError, match="No space left"):
        download(DATA_SETS["mnist"], tmp_path / "data", no_work)
    assert not (tmp_path / "data").exists()


def test_init_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, pytest.raises(UserError, match="No space left"):
        patched.setattr(atomic_write.os, "fsync", full_disk)
        init._init(tmp_path / "bench.toml", "mock")
    assert list(tmp_path.iterdir()) == []
    init._init(tmp_path / "bench.toml", "mock")
    with pytest.raises(UserError, match="exists already"):
        init._init(tmp_path / "bench.toml", "mock")


class Lost(io.StringIO):
    """A stream that cannot be written any more."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def flush(self) -> None:
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.EPIPE, EXIT_NO_READER, "was closed by its reader"),
        (errno.ENOSPC, EXIT_OUTPUT, "cannot be written: No space left"),
    ],
)
def test_output_that_is_lost_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    code: int,
    words: str,
) -> None:
    monkeypatch.setattr(sys, "stdout", Lost(number))
    assert end_output(0) == code
    assert end_output(2) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(words in line for line in lines)


def fails_with(number: int) -> Callable[[], None]:
    def command() -> None:
        raise OSError(number, os.strerror(number), "/data/run.h5")

    return command


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EISDIR])
def test_an_error_of_the_disk_is_no_fault_of_labdiff(
    capsys: pytest.CaptureFixture[str], number: int
) -> None:
    assert guarded(fails_with(number)) == EXIT_USER
    assert capsys.readouterr().err == f"labdiff: /data/run.h5: {os.strerror(number)}\n"


def test_missing_streams_take_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    open_missing_streams()
    print("to nobody")
    sys.stderr.write("to nobody")
    sys.stdout.close()
    sys.stderr.close()


@needs_posix
@pytest.mark.parametrize(("sink", "code"), [("| head -c 1", EXIT_NO_READER), (">&-", 0)])
def test_a_command_whose_reader_goes_ends_in_order(sink: str, code: int) -> None:
    shell = f'{{ "{sys.executable}" -m labdiff data list; echo "code $?" >&2; }} {sink} > /dev/null'
    if sink == ">&-":
        shell = f'"{sys.executable}" -m labdiff data list >&-; echo "code $?" >&2'
    found = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    lines = found.stderr.splitlines()
    assert lines[-1] in (f"code {code}", "code 0")  # all may be written before the reader goes
    assert len(lines) <= 2 and "Traceback" not in found.stderr and "Exception" not in found.stderr
