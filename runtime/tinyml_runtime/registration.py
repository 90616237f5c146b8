"""What a kernel is: a node to work on, two contexts to work through, and its entry in a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from tinyml_runtime.errors import NodeError
from tinyml_runtime.model.options import Options
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

DataT = TypeVar("DataT")
OptionsT = TypeVar("OptionsT", bound=Options)


class EndOfInvocation(Exception):  # noqa: N818 - it is no error
    """Raised by `evaluate` to leave out the rest of the model in this invocation, as TFLM's abort.

    Nodes of calling subgraphs are left out too; outputs keep what was last written to them.
    """


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a subgraph: an operator and the indices of its tensors (-1: not given)."""

    subgraph: int
    index: int
    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    version: int = 1
    options: Options | None = None
    custom_options: bytes = b""
    intermediates: tuple[int, ...] = field(default=())

    def options_as(self, kind: type[OptionsT]) -> OptionsT:
        """The builtin options, or their defaults where the file has none or another kind."""
        return self.options if isinstance(self.options, kind) else kind()


class PrepareContext(Protocol):
    """What a kernel may see while it prepares: types, shapes, quantization, constants."""

    def input(self, node: Node, position: int) -> Tensor:
        """The input tensor at `position`; NodeError where the node has none there."""
        ...

    def optional_input(self, node: Node, position: int) -> Tensor | None:
        """The input tensor at `position`, or None where the node has none there."""
        ...

    def output(self, node: Node, position: int) -> Tensor:
        """The output tensor at `position`; NodeError where the node has none there."""
        ...

    def subgraph_tensors(self, index: int) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Input and output tensors of a subgraph to be called; NodeError where that cannot be."""
        ...

    def prepared(self, kind: type[DataT]) -> Sequence[DataT]:
        """The data, where it is of this kind, of the model's nodes that were prepared before."""
        ...

    @property
    def variables(self) -> ResourceVariables:
        """The resource variables that nodes of this model have named so far."""
        ...


class EvalContext(Protocol):
    """What a kernel may see while it evaluates: the same tensors, with their values."""

    def input(self, node: Node, position: int) -> Tensor:
        """The input tensor at `position`, which must exist."""
        ...

    def output(self, node: Node, position: int) -> Tensor:
        """The output tensor at `position`, which must exist."""
        ...

    def invoke_subgraph(self, index: int, inputs: Sequence[Array]) -> list[Array]:
        """Run another subgraph on these inputs; gives copies of its outputs."""
        ...

    @property
    def variables(self) -> ResourceVariables:
        """The resource variables of the model."""
        ...


@dataclass(frozen=True, slots=True)
class BindingEvaluate(Generic[DataT]):
    """An `evaluate` in two steps: `bind` looks up what stays, the function it returns computes.

    Wherever tensors keep their memory the interpreter binds a node once and then calls that
    function at every invocation. It may hold views of the tensors' values, and buffers of its own;
    what has to outlast a rebinding belongs into the data. On small tensors, looking up and
    reshaping take as long as computing.
    """

    bind: Callable[[EvalContext, Node, DataT], Callable[[], object]]

    def __call__(self, context: EvalContext, node: Node, data: DataT) -> None:
        """Evaluate at once."""
        self.bind(context, node, data)()


def never_stacks(data: object) -> bool:
    """Samples are evaluated one by one."""
    return False


def always_stacks(data: object) -> bool:
    """Samples stacked along the first axis are evaluated at once."""
    return True


@dataclass(frozen=True, slots=True)
class Registration(Generic[DataT]):
    """A kernel: `prepare` decides, `evaluate` computes.

    `stacks(data)` says whether one `evaluate` may be given several samples at once. Then every
    tensor of the node that is not constant comes with a first axis that is a multiple of the
    prepared one (a scalar counts as [1]): the samples, one after another. Kernels that allow it
    take lengths of the first axis from the values and not from what was prepared.

    A kernel that keeps state in its data, from one invocation to the next, says with `reset` how
    that becomes what it was after `prepare`. If it stacks, it takes the samples one after another.
    """

    operator: BuiltinOperator | str
    prepare: Callable[[PrepareContext, Node], DataT]
    evaluate: Callable[[EvalContext, Node, DataT], None]
    stacks: Callable[[DataT], bool] = never_stacks
    reset: Callable[[DataT], None] | None = None

    @property
    def name(self) -> str:
        """The operator's name: TFLite's for a builtin one, its code for a custom one."""
        return self.operator if isinstance(self.operator, str) else self.operator.name


def check(condition: bool, reason: str, remedy: str = "") -> None:
    """Raise NodeError with `reason` unless `condition` holds; for what a kernel cannot run."""
    if not condition:
        raise NodeError(reason, remedy)


def check_type(tensor: Tensor, role: str, *allowed: TensorType) -> None:
    """Raise NodeError unless the tensor, which plays `role` in the node, has an allowed type."""
    if tensor.type not in allowed:
        names = ", ".join(kind.name for kind in allowed)
        raise NodeError(f"{role} is {tensor.type.name}; this kernel takes {names}")


def check_constant(tensor: Tensor, role: str) -> None:
    """Raise NodeError unless the tensor's values are in the file."""
    check(tensor.is_constant, f"{role} must be a constant", "make it a constant of the model")


def check_shape(tensor: Tensor, role: str, shape: Sequence[int]) -> None:
    """Raise NodeError unless the tensor has this shape."""
    expected = tuple(shape)
    check(
        tensor.shape == expected,
        f"{role} has shape {list(tensor.shape)}, the operator makes {list(expected)}",
        "convert the model again, with fixed input shapes",
    )
