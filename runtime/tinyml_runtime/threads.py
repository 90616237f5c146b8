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

    with ThreadPoolExecutor(len(shares)) as pool:
        for done in [pool.submit(job, share) for share in shares]:
            done.result()
