"""One subgraph at run time: its tensors, its prepared nodes, and the contexts that kernels see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from tinyml_runtime.errors import NodeError, NodeProblem
from tinyml_runtime.events import Event, Listener, NodeFinished, NodeStarted
from tinyml_runtime.registration import (
    BindingEvaluate,
    EndOfInvocation,
    EvalContext,
    Node,
    Registration,
    check,
)
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

Invoke = Callable[[int, Sequence[Array]], list[Array]]
Call = Callable[[], object]
DataT = TypeVar("DataT")

# Every level takes a few frames of Python's stack, which has room for about 1000.
MOST_NESTED_SUBGRAPHS = 64

_UNSIZED = (
    TensorType.STRING,
    TensorType.VARIANT,
    TensorType.INT2,
    TensorType.UINT4,
    TensorType.FLOAT8_E4M3FN,
    TensorType.FLOAT8_E5M2,
)


_REMEDIES = {
    TensorType.UINT8: "convert the model with int8 quantization: TFLM has no uint8 kernels",
    TensorType.FLOAT16: "convert the model without float16",
    TensorType.BFLOAT16: "convert the model without bfloat16",
    TensorType.FLOAT64: "convert the model in float32",
}


@dataclass(slots=True)
class Preparation:
    """What the subgraphs of a model share while they are prepared.

    `interfaces` are the input and output tensors of every subgraph; `depths` says how many levels
    of calls are below a subgraph, and nothing of those that call themselves.
    """

    interfaces: Sequence[tuple[list[Tensor], list[Tensor]]]
    depths: Mapping[int, int]
    variables: ResourceVariables
    prepared: list[Any] = field(default_factory=list[Any])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the nodes of a subgraph reach beyond its tensors while they are evaluated."""

    invoke_subgraph: Invoke
    variables: ResourceVariables


@dataclass(frozen=True, slots=True)
class Step:
    """A prepared node: its kernel and what `prepare` settled."""

    node: Node
    registration: Registration[Any]
    data: Any

    @property
    def stacks(self) -> bool:
        """Whether the node can be evaluated for several samples at once."""
        return self.registration.stacks(self.data)

    def bind(self, context: EvalContext) -> Call:
        """The evaluation of the node as a function, for as long as the tensors stay in place."""
        evaluate = self.registration.evaluate
        if isinstance(evaluate, BindingEvaluate):
            return evaluate.bind(context, self.node, self.data)
        return partial(evaluate, context, self.node, self.data)


class PreparingTensors:
    """`PrepareContext` of one subgraph: every access is checked."""

    def __init__(self, tensors: Sequence[Tensor], model: Preparation) -> None:
        """Give kernels the tensors of one subgraph of `model`."""
        self._tensors = tensors
        self._model = model

    @property
    def variables(self) -> ResourceVariables:
        """The resource variables that nodes of this model have named so far."""
        return self._model.variables

    def input(self, node: Node, position: int) -> Tensor:
        """The input tensor at `position`; NodeError where the node has none there."""
        tensor = self.optional_input(node, position)
        if tensor is None:
            raise NodeError(f"input {position} is missing")
        return tensor

    def optional_input(self, node: Node, position: int) -> Tensor | None:
        """The input tensor at `position`, or None where the node has none there."""
        if position >= len(node.inputs) or node.inputs[position] < 0:
            return None
        return self._tensors[node.inputs[position]]

    def output(self, node: Node, position: int) -> Tensor:
        """The output tensor at `position`, which must be there and must not be a constant."""
        if position >= len(node.outputs) or node.outputs[position] < 0:
            raise NodeError(f"output {position} is missing")
        tensor = self._tensors[node.outputs[position]]
        check(not tensor.is_constant, f"output {position} is a constant of the file")
        return tensor

    def check_shapes(self, node: Node) -> None:
        """Raise NodeError for tensors that TFLM has no memory for, before a kernel sees them.

        Source: tflite-micro `micro/micro_interpreter_graph.cc`, CheckDynamicTensors;
        `micro_allocation_info.cc` for intermediate tensors; `memory_helpers.cc` for types.
        """
        for index in (*node.inputs, *node.outputs):
            if index < 0:
                continue
            kind, shape = self._tensors[index].type, self._tensors[index].shape
            check(kind not in _UNSIZED, f"tensor {index} is {kind.name}, which TFLM cannot hold")
            least = 1 if index in node.outputs and shape != (0,) else 0
            check(
                all(size >= least for size in shape),
                f"Dynamic tensors are not supported: tensor {index} has shape {list(shape)}",
                "convert the model with fixed input shapes",
            )
        for index in node.intermediates:
            size = self._tensors[index].size
            check(size == 0, f"Does not support intermediate tensor with non-zero size: {size}")

    def remedy(self, node: Node) -> str:
        """What can be done about a node that cannot run, as far as its types tell; may be empty."""
        types = {self._tensors[i].type for i in (*node.inputs, *node.outputs) if i >= 0}
        return next((remedy for kind, remedy in _REMEDIES.items() if kind in types), "")

    def subgraph_tensors(self, index: int) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Input and output tensors of a subgraph to be called; NodeError where that cannot be."""
        check(0 <= index < len(self._model.interfaces), f"there is no subgraph {index}")
        depth = self._model.depths.get(index)
        check(depth is not None, f"subgraph {index} calls itself, directly or through others")
        check(
            (depth or 0) < MOST_NESTED_SUBGRAPHS,
            f"subgraph {index} has {depth} levels of calls below it; "
            f"at most {MOST_NESTED_SUBGRAPHS - 1} can run",
        )
        return self._model.interfaces[index]

    def prepared(self, kind: type[DataT]) -> Sequence[DataT]:
        """The data, where it is of this kind, of the model's nodes that were prepared before."""
        return [data for data in self._model.prepared if isinstance(data, kind)]

    def prepare(self, node: Node, registration: Registration[Any]) -> Step:
        """Prepare one node; NodeError where it cannot run."""
        data = registration.prepare(self, node)
        self._model.prepared.append(data)
        return Step(node, registration, data)


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
        self._steps = steps
        self._calls: list[Call] | None = None

    def run(self, listeners: Sequence[Listener] = ()) -> None:
        """Evaluate every node once, in order. Floats overflow silently, as on a microcontroller."""
        with np.errstate(all="ignore"):
            # Binding waits until here: what prepares a model need not run it.
            if self._calls is None:
                context = EvaluatingTensors(self.tensors, self.surroundings)
                self._calls = [step.bind(context) for step in self._steps]
            if listeners:
                self._run_heard(self._calls, listeners)
                return
            for call in self._calls:
                call()

    def reset(self) -> None:
        """Let every kernel forget its state."""
        for step in self._steps:
            if step.registration.reset is not None:
                step.registration.reset(step.data)

    @property
    def needs_single_samples(self) -> bool:
        """Whether a kernel with state can only follow one sample after another."""
        return any(step.registration.reset and not step.stacks for step in self._steps)

    def stacked(self, samples: int) -> StackedExecution:
        """The same nodes over memory for several samples."""
        return StackedExecution(self.tensors, self._steps, self.surroundings, samples)

    def _run_heard(self, calls: Sequence[Call], listeners: Sequence[Listener]) -> None:
        tensors = self.tensors
        for step, call in zip(self._steps, calls, strict=True):
            started = NodeStarted(step.node, [tensors[i] for i in step.node.inputs if i >= 0])
            finished = NodeFinished(step.node, [tensors[i] for i in step.node.outputs if i >= 0])
            _notify(listeners, started)
            try:
                call()
            except EndOfInvocation:
                _notify(listeners, finished)
                raise
            _notify(listeners, finished)


class StackedExecution:
    """A subgraph over `samples` samples at once: tensors hold them along the first axis."""

    def __init__(
        self,
        tensors: Sequence[Tensor],
        steps: Sequence[Step],
        surroundings: Surroundings,
        samples: int,
    ) -> None:
        """Give every tensor that is not a constant memory for all samples."""
        self.samples = samples
        self.tensors = [_stack(tensor, samples) for tensor in tensors]
        lane = [_stack(tensor, 1) for tensor in tensors]
        together = EvaluatingTensors(self.tensors, surroundings)
        alone = EvaluatingTensors(lane, surroundings)
        self._calls = [
            step.bind(together) if step.stacks else self._one_by_one(step, alone) for step in steps
        ]

    def run(self) -> None:
        """Evaluate every node for all samples, in one go where its kernel can."""
        with np.errstate(all="ignore"):
            for call in self._calls:
                call()

    def _one_by_one(self, step: Step, lane: EvaluatingTensors) -> Call:
        """The node on one sample after another, each copied into the tensors of `lane` and out."""
        call = step.bind(lane)
        indices = {i for i in (*step.node.inputs, *step.node.outputs) if i >= 0}
        moving = [
            (tensor.values, self.tensors[index].values.reshape(self.samples, *tensor.shape))
            for index in indices
            if not (tensor := lane.tensors[index]).is_constant
        ]

        def run() -> None:
            for sample in range(self.samples):
                for values, samples in moving:
                    values[...] = samples[sample]
                call()
                for values, samples in moving:
                    samples[sample] = values

        return run


def prepare_nodes(
    nodes: Sequence[tuple[Node, Registration[Any] | None]],
    context: PreparingTensors,
) -> tuple[list[Step], list[NodeProblem]]:
    """Prepare every node; what fails is collected, so that a user sees all of it at once."""
    steps: list[Step] = []
    problems: list[NodeProblem] = []
    for node, registration in nodes:
        try:
            steps.append(_prepare(node, registration, context))
        except NodeError as error:
            remedy = error.remedy or context.remedy(node)
            problems.append(
                NodeProblem(node.subgraph, node.index, node.operator, error.reason, remedy)
            )
    return steps, problems


def _prepare(node: Node, registration: Registration[Any] | None, context: PreparingTensors) -> Step:
    if registration is None:
        is_builtin = node.operator in BuiltinOperator.__members__
        raise NodeError(
            f"Didn't find op for {'builtin opcode' if is_builtin else 'custom operator'} "
            f"'{node.operator}'",
            "TensorFlow Lite Micro has no such operator: convert the model without it, or add a "
            "kernel library that has it",
        )
    check(
        not node.custom_options or isinstance(registration.operator, str),
        f"Unsupported behavior: found builtin operator {node.operator} with custom options.",
    )
    context.check_shapes(node)
    return context.prepare(node, registration)


def _notify(listeners: Sequence[Listener], event: Event) -> None:
    for listener in listeners:
        listener.notify(event)


def _stack(tensor: Tensor, samples: int) -> Tensor:
    if tensor.is_constant:
        return tensor
    if samples == 1:
        return replace(tensor, values=np.zeros(tensor.values.shape, tensor.dtype))
    first, *rest = tensor.shape or (1,)
    return replace(tensor, values=np.zeros((first * samples, *rest), tensor.dtype))
