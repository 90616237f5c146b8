"""From when to when every tensor and scratch buffer is in use, on TFLM's clock.

The clock starts at 0 and ticks at every node, and once more before every subgraph that a node
calls, whose nodes come in between.

Source: tflite-micro `micro/micro_allocation_info.cc`, MarkAllocationLifetimes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.errors import ModelError
from tinyml_runtime.model.check import called_subgraphs
from tinyml_runtime.model.schema import Model

UNUSED = -1
# Subgraphs that call each other twice, level by level, take twice the time at every level.
MOST_TICKS = 2**20


@dataclass(slots=True)
class Lifetime:
    """First and last use, both included; -1 for what no node reaches."""

    first: int = UNUSED
    last: int = UNUSED

    def use(self, time: int) -> None:
        """Note a use, which cannot come before one that was noted already."""
        if self.first == UNUSED:
            self.first = time
        self.last = time


@dataclass(frozen=True, slots=True)
class Step:
    """A node at the time at which it runs."""

    time: int
    subgraph: int
    node: int


class Lifetimes:
    """The lifetimes of all tensors of a model, by subgraph and index, and of scratch buffers."""

    def __init__(self, model: Model, scratch_owners: Sequence[tuple[int, int]]) -> None:
        """Walk through the model; `scratch_owners` are subgraph and node of each scratch buffer."""
        self.tensors = [[Lifetime() for _ in graph.tensors] for graph in model.subgraphs]
        self.scratch = [Lifetime() for _ in scratch_owners]
        self._model = model
        self._scratch_of: dict[tuple[int, int], list[Lifetime]] = {}
        for owner, lifetime in zip(scratch_owners, self.scratch, strict=True):
            self._scratch_of.setdefault(owner, []).append(lifetime)
        self._time = 0
        self.steps: list[Step] = []
        self._walk(0)

    def _tick(self) -> None:
        self._time += 1
        if self._time > MOST_TICKS:
            reason = f"its subgraphs are run more than {MOST_TICKS} times, one within another"
            raise ModelError(self._model.source, "", reason)

    def _walk(self, number: int) -> None:
        graph, tensors = self._model.subgraphs[number], self.tensors[number]
        for index in graph.inputs:
            tensors[index].use(self._time)
        for place, operator in enumerate(graph.operators):
            self._tick()
            start = self._time
            self.steps.append(Step(start, number, place))
            for index in operator.outputs:
                if tensors[index].first == UNUSED:
                    tensors[index].first = start
            for called in called_subgraphs(operator):
                self._tick()
                self._walk(called)
            for index in (*operator.inputs, *operator.outputs):
                if index >= 0:
                    tensors[index].last = self._time
            for lifetime in self._scratch_of.get((number, place), ()):
                lifetime.use(start)
                lifetime.use(self._time)
        for index in graph.outputs:
            tensors[index].use(self._time)
