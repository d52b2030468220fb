"""Show the progress of downloads in the terminal, with the time left."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from labdiff.data.catalogue import RemoteFile


class DownloadBars:
    """Shows a line for each file in a console; without a terminal, only the name of each file."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<26}"),
            BarColumn(bar_width=28),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> DownloadBars:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, file: RemoteFile) -> _Line:
        """Add a line for a file."""
        if self._progress.disable:
            self._progress.console.print(f"{file.name} ...", highlight=False)
        return _Line(self._progress, file)


class _Line:
    """The line of one file, with the interface that pooch expects of a progress bar."""

    def __init__(self, progress: Progress, file: RemoteFile) -> None:
        self._progress = progress
        self._total_bytes = file.size_bytes
        self._task: TaskID = progress.add_task(file.name, total=file.size_bytes or None)

    @property
    def total(self) -> int:
        """Number of bytes that the server declares, or else the catalogue."""
        return self._total_bytes

    @total.setter
    def total(self, count: int) -> None:
        if count > 0:
            self._total_bytes = count
            self._progress.update(self._task, total=count)

    def update(self, count: int) -> None:
        """Add bytes. pooch counts in whole chunks, so that the last one may overshoot."""
        task = self._progress.tasks[self._task]
        done = task.completed + count
        self._progress.update(self._task, completed=min(done, task.total or done))

    def reset(self) -> None:
        """Reset the count to zero, as pooch does at the end before it adds the exact count."""
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Do nothing: no resource is open."""
