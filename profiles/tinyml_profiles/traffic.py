"""Which bytes a node reads, how often, and how much is read between two uses of the same byte.

Counts of loads are known, addresses are not: these are the orders in which the kernels' loops walk.
A walk is the bytes that are there, the bytes that are read in all, and the bytes of one round,
after which the walk starts again; a cache that holds a round is missed only once for every byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.workload import WorkContext

# Code of one kernel that runs at least once, and of its innermost loops. Exponentials are long.
KERNEL_BYTES = 1280
_LONG_KERNEL_BYTES = 2688
LOOP_BYTES = 1100
# Channels that one instruction takes on cores with vectors.
_VECTOR = 8
_LONG = ("SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "TANH", "UNIDIRECTIONAL_SEQUENCE_LSTM")
_WINDOWS = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D")


@dataclass(frozen=True, slots=True)
class Walk:
    """Bytes of a region, bytes read of it in all, and the bytes of one round."""

    bytes: float = 0
    read_bytes: float = 0
    round_bytes: float = 0


NO_WALK = Walk()


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a node reads beside its instructions.

    `is_ragged` says that its channels do not fill the vectors of a core that has any,
    `is_pointwise` that it is a convolution of single pixels.
    """

    operator: str
    weights: Walk = NO_WALK
    arena: Walk = NO_WALK
    kernel_bytes: float = KERNEL_BYTES
    loop_bytes: float = LOOP_BYTES
    is_ragged: bool = False
    is_pointwise: bool = False


def node_traffic(context: WorkContext, node: Node, library: str, macs: int) -> Traffic:
    """The traffic of a node whose kernel is of `library` and adds up `macs` products."""
    inputs = [context.input(node, place) for place in range(len(node.inputs))]
    outputs = [context.output(node, place) for place in range(len(node.outputs))]
    weights = _bytes(t for t in inputs if t is not None and t.is_constant)
    arena = _bytes(t for t in inputs if t is not None and not t.is_constant) + _bytes(outputs)
    shared = _products_per_read(library, node, inputs, context.extensions)
    size = next((t.dtype.itemsize for t in inputs if t is not None and not t.is_constant), 1)
    return Traffic(
        node.operator,
        Walk(weights, max(weights, macs / shared), _weights_round(library, node, inputs, weights)),
        Walk(arena, max(arena, size * macs / shared), _arena_round(node, inputs, arena)),
        _LONG_KERNEL_BYTES if node.operator in _LONG else KERNEL_BYTES,
        is_ragged=_is_ragged(node, inputs),
        is_pointwise=_is_pointwise(node, inputs),
    )


def _bytes(tensors: Iterable[Tensor | None]) -> int:
    return sum(tensor.size * tensor.dtype.itemsize for tensor in tensors if tensor is not None)


def _is_pointwise(node: Node, inputs: list[Tensor | None]) -> bool:
    weights = inputs[1] if node.operator == "CONV_2D" and len(inputs) > 1 else None
    return weights is not None and tuple(weights.shape[1:3]) == (1, 1)


def _is_ragged(node: Node, inputs: list[Tensor | None]) -> bool:
    weights = inputs[1] if node.operator == "CONV_2D" and len(inputs) > 1 else None
    return weights is not None and weights.shape[-1] % _VECTOR != 0


def _products_per_read(
    library: str, node: Node, inputs: list[Tensor | None], extensions: frozenset[str]
) -> float:
    """How many products are made of a value that was read once."""
    if library != "cmsis-nn" or node.operator not in ("CONV_2D", "TRANSPOSE_CONV"):
        return 1
    return 4 if "mve" in extensions else 2


def _weights_round(library: str, node: Node, inputs: list[Tensor | None], weights: float) -> float:
    """All filters for every pixel or two; CMSIS-NN takes two filters over all pixels where 1x1."""
    kernel = inputs[1] if len(inputs) > 1 else None
    if library == "cmsis-nn" and kernel is not None and _is_pointwise(node, inputs):
        return 2 * kernel.shape[3] * kernel.dtype.itemsize
    return weights


def _arena_round(node: Node, inputs: list[Tensor | None], arena: float) -> float:
    """The rows under a window; all that there is where nothing slides."""
    source = inputs[0] if inputs else None
    kernel = inputs[1] if len(inputs) > 1 else None
    if node.operator not in _WINDOWS or source is None or len(source.shape) != 4:
        return arena
    rows = kernel.shape[1] if kernel is not None and len(kernel.shape) == 4 else 3
    return min(arena, rows * prod(source.shape[2:]) * source.dtype.itemsize)
