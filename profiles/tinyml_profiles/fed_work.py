"""The work of a model on some values: loops that depend on them are counted while it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tinyml_profiles.instructions import Values
from tinyml_profiles.reference_input import reference_input
from tinyml_profiles.target import Core
from tinyml_profiles.work import ModelWork, NodeTensors, NodeWork, count_loops, model_work
from tinyml_runtime import Interpreter
from tinyml_runtime.events import Event, NodeStarted
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.schema import Model
from tinyml_runtime.registration import Node
from tinyml_runtime.resolver import OpResolver
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.moments import share_of_zeros

_Key: TypeAlias = tuple[int, int]


class _RunningTensors(NodeTensors):
    """`WorkContext` of one subgraph while a node of it runs."""

    def values(self, node: Node, position: int) -> Array | None:
        """What the input tensor at `position` holds."""
        tensor = self.input(node, position)
        return None if tensor is None else tensor.values

    def zero_share(self, node: Node, position: int) -> float:
        """The share of the input's elements that are zero."""
        tensor = self.input(node, position)
        return 0.0 if tensor is None else share_of_zeros(tensor)


@dataclass(slots=True)
class _Counts:
    """Sums over all evaluations of a node."""

    evaluations: int = 0
    entries: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    trips: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, loops: Sequence[LoopWork]) -> None:
        self.evaluations += 1
        for work in loops:
            self.entries[work.loop] += work.entries
            self.trips[work.loop] += work.trips

    def mean(self) -> list[LoopWork]:
        return [
            LoopWork(loop, entries / self.evaluations, self.trips[loop] / self.evaluations)
            for loop, entries in self.entries.items()
        ]


class _LoopCounter:
    """Listens to a run, and counts the loops of every node that starts."""

    def __init__(
        self, tensors: Sequence[Sequence[Tensor]], resolver: OpResolver, core: Core
    ) -> None:
        self._contexts = [_RunningTensors(own, core.extensions) for own in tensors]
        self._resolver = resolver
        self.counts: Mapping[_Key, _Counts] = defaultdict(_Counts)

    def notify(self, event: Event) -> None:
        if isinstance(event, NodeStarted):
            node = event.node
            loops = count_loops(self._contexts[node.subgraph], self._resolver, node)
            self.counts[node.subgraph, node.index].add(loops)


def fed_work(
    model: Model,
    core: Core,
    library: str | KernelLibrary,
    samples: Sequence[Array] = (),
    on_progress: Callable[[int, int], None] | None = None,
    *,
    mean: ModelWork | None = None,
) -> ModelWork:
    """The work of a model in a run on samples [count, *shape], an array for each input.

    Without samples it is one on the reference input. Counts are means over all evaluations of a
    node; a node that does not run counts as before a run. Samples are a sequence for a model that
    keeps state. `on_progress` hears of samples done, and of all. `mean` is the work before a run,
    if it is known.

    Raises:
        UnsupportedModelError: nodes that cannot run, all of them.
        RunError: values that an operator does not take.
        ValueError: samples of another shape or type than the inputs.
    """
    work = model_work(model, core, library) if mean is None else mean
    interpreter = Interpreter(model, library)
    interpreter.allocate_tensors()
    tensors = [
        [interpreter.tensor(index, number) for index in range(len(graph.tensors))]
        for number, graph in enumerate(model.subgraphs)
    ]
    counter = _LoopCounter(tensors, OpResolver.for_library(library), core)
    interpreter.listeners.append(counter)
    values = Values.GIVEN if samples else Values.REFERENCE
    samples = samples or reference_input(interpreter.inputs)
    for done, sample in enumerate(zip(*samples, strict=True)):
        if on_progress is not None:
            on_progress(done, len(samples[0]))
        for index, array in enumerate(sample):
            if not interpreter.inputs[index].is_constant:
                interpreter.set_input(array, index)
        interpreter.invoke()
    nodes = [_fed(each, counter.counts, values) for each in work.nodes]
    return replace(work, nodes=nodes, counted={})


def _fed(work: NodeWork, counts: Mapping[_Key, _Counts], values: Values) -> NodeWork:
    found = counts.get((work.node.subgraph, work.node.index))
    return work if found is None else replace(work, loops=found.mean(), values=values)
