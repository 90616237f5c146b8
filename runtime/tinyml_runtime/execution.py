"""One subgraph at run time: its tensors, its prepared nodes, and the context that kernels see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.events import Event, Listener, NodeFinished, NodeStarted
from tinyml_runtime.preparation import Call, Step
from tinyml_runtime.registration import EndOfInvocation, Node
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Array, Tensor

Invoke = Callable[[int, Sequence[Array]], list[Array]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the nodes of a subgraph reach beyond its tensors while they are evaluated."""

    invoke_subgraph: Invoke
    variables: ResourceVariables


class EvaluatingTensors:
    """`EvalContext` of one subgraph: `prepare` has checked, so this only looks up."""

    __slots__ = ("_surroundings", "tensors")

    def __init__(self, tensors: Sequence[Tensor], surroundings: Surroundings) -> None:
        """Give kernels these tensors, and what is around them."""
        self.tensors = tensors
        self._surroundings = surroundings

    @property
    def variables(self) -> ResourceVariables:
        """The resource variables of the model."""
        return self._surroundings.variables

    def input(self, node: Node, position: int) -> Tensor:
        """The input tensor at `position`."""
        return self.tensors[node.inputs[position]]

    def output(self, node: Node, position: int) -> Tensor:
        """The output tensor at `position`."""
        return self.tensors[node.outputs[position]]

    def invoke_subgraph(self, index: int, inputs: Sequence[Array]) -> list[Array]:
        """Run another subgraph on these inputs; gives copies of its outputs."""
        return self._surroundings.invoke_subgraph(index, inputs)


class SubgraphExecution:
    """The prepared nodes of a subgraph over tensors that have memory."""

    def __init__(
        self, tensors: Sequence[Tensor], steps: Sequence[Step], surroundings: Surroundings
    ) -> None:
        """Run `steps` over `tensors`, which keep the memory that they have now."""
        self.tensors = tensors
        self.surroundings = surroundings
        self.steps = steps
        self._calls: list[Call] | None = None

    def run(self, listeners: Sequence[Listener] = ()) -> None:
        """Evaluate every node once, in order. Floats overflow silently, as on a microcontroller."""
        with np.errstate(all="ignore"):
            # Binding waits until here: what prepares a model need not run it.
            if self._calls is None:
                context = EvaluatingTensors(self.tensors, self.surroundings)
                self._calls = [step.bind(context) for step in self.steps]
            if listeners:
                self._run_heard(self._calls, listeners)
                return
            for call in self._calls:
                call()

    def reset(self) -> None:
        """Let every kernel forget its state."""
        for step in self.steps:
            if step.registration.reset is not None:
                step.registration.reset(step.data)

    @property
    def needs_single_samples(self) -> bool:
        """Whether a kernel with state can only follow one sample after another."""
        return any(step.registration.reset and not step.stacks for step in self.steps)

    def _run_heard(self, calls: Sequence[Call], listeners: Sequence[Listener]) -> None:
        tensors = self.tensors
        for step, call in zip(self.steps, calls, strict=True):
            started = NodeStarted(step.node, [tensors[i] for i in step.node.inputs if i >= 0])
            finished = NodeFinished(step.node, [tensors[i] for i in step.node.outputs if i >= 0])
            _notify(listeners, started)
            try:
                call()
            except EndOfInvocation:
                _notify(listeners, finished)
                raise
            _notify(listeners, finished)


def _notify(listeners: Sequence[Listener], event: Event) -> None:
    for listener in listeners:
        listener.notify(event)
