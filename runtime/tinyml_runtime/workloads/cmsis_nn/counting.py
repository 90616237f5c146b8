"""Nests of loops written down briefly: what a loop is called, and how its trips fall into blocks.

A compiled loop that takes elements in blocks of 16, then of 4, then one by one is three loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload
from tinyml_runtime.workloads.generic import count_made

MVE = "mve"


def once(loop: str, count: float = 1) -> LoopWork:
    """Code that is run `count` times."""
    return LoopWork(loop, entries=count)


def turns(loop: str, count: float) -> LoopWork:
    """A loop's body, run `count` times in all."""
    return LoopWork(loop, trips=count)


def in_blocks(kernel: str, runs: float, length: int, blocks: Sequence[int]) -> Iterator[LoopWork]:
    """`runs` times a run over `length` elements in blocks, the largest first; loops by size."""
    rest = length
    for size in blocks:
        count, rest = divmod(rest, size)
        if count:
            yield LoopWork(f"{kernel}_{size}", runs, runs * count)


def reference(operator: str) -> CountLoops:
    """The loops of the reference's kernel, which the library takes for some types."""

    def count(context: WorkContext, node: Node) -> Workload:
        return (_reference(operator) or count_made)(context, node)

    return count


@cache
def _reference(operator: str) -> CountLoops | None:
    table = import_module("tinyml_runtime.workloads.reference").REFERENCE_WORKLOADS
    entry = table.get(operator)
    if not isinstance(entry, str):
        return entry
    module, _, name = entry.partition(":")
    return getattr(import_module(module), name)
