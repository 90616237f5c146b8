"""Shares of one job on several threads. NumPy and BLAS let go of the interpreter lock meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

ShareT = TypeVar("ShareT")


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_on_threads(job: Callable[[ShareT], None], shares: Sequence[ShareT]) -> None:
    """Call `job` once a share, each on a thread of its own; raises what a job raises."""
    if len(shares) < 2:
        for share in shares:
            job(share)
        return
    from concurrent.futures import ThreadPoolExecutor

    def run(number: int) -> None:
        _stay_on_processor(number)
        job(shares[number])

    with ThreadPoolExecutor(len(shares)) as pool:
        for done in [pool.submit(run, number) for number in range(len(shares))]:
            done.result()


def _stay_on_processor(number: int) -> None:
    """Bind this thread: those that pass the interpreter lock around are drawn to one processor."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[number % len(allowed)]})
