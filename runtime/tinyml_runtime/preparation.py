"""From the nodes of a file to steps that can be evaluated: every kernel's `prepare`, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

from tinyml_runtime.errors import NodeError, NodeProblem
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    Registration,
    check,
)
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

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
    TensorType.STRING: "prepare text outside of the model",
    TensorType.UINT8: "convert the model with int8 quantization: TFLM has no uint8 kernels",
    TensorType.FLOAT16: "convert the model without float16",
    TensorType.BFLOAT16: "convert the model without bfloat16",
    TensorType.FLOAT64: "convert the model in float32",
}
_OTHER_REMEDY = (
    "change the node before the model is converted; docs/reference/operators.md lists the types "
    "that operators take"
)


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
            binding = cast("BindingEvaluate[Any]", evaluate)
            return binding.bind(context, self.node, self.data)
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
        """What can be done about a node that cannot run, as far as its types tell."""
        types = {self._tensors[i].type for i in (*node.inputs, *node.outputs) if i >= 0}
        return next((remedy for kind, remedy in _REMEDIES.items() if kind in types), _OTHER_REMEDY)

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
