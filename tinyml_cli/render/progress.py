"""A progress bar on stderr, on a terminal only, and only for runs that one has to wait for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE_SECONDS = 0.5


@contextmanager
def progress_bar() -> Generator[Callable[[int, int], None]]:
    """Gives a function to be called with the samples done and the samples in all."""
    bar = _Bar()
    try:
        yield bar.update
    finally:
        bar.close()


class _Bar:
    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._start = monotonic()
        self._progress: Progress | None = None

    def update(self, done: int, total: int) -> None:
        if not self._is_shown or monotonic() - self._start < _PATIENCE_SECONDS:
            return
        if self._progress is None:
            self._progress = _start(total)
        self._progress.update(self._progress.task_ids[0], completed=done)

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _start(total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("samples", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.add_task("", total=total)
    progress.start()
    return progress
