"""A call and a loop over elements: what stands for kernels that nobody has counted.

Their price is assumed: that of the middle one of all measured kernels.
"""

from __future__ import annotations

from collections.abc import Iterable

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.workload import LoopWork, WorkContext, Workload

GENERIC = "generic"
_ELEMENT, _MOVE = f"{GENERIC}.element", f"{GENERIC}.move"
ONE_CALL: Workload = (LoopWork(f"{GENERIC}.call", entries=1),)


def count_made(context: WorkContext, node: Node) -> Workload:
    """A turn for every element that the node makes."""
    outputs = (context.output(node, place) for place in range(len(node.outputs)))
    return _over(_ELEMENT, outputs)


def count_moved(context: WorkContext, node: Node) -> Workload:
    """The same for a node that only moves elements."""
    outputs = (context.output(node, place) for place in range(len(node.outputs)))
    return _over(_MOVE, outputs)


def count_taken(context: WorkContext, node: Node) -> Workload:
    """A turn for every element that the node takes, where it makes fewer; no constants."""
    inputs = (context.input(node, place) for place in range(len(node.inputs)))
    return _over(_ELEMENT, (each for each in inputs if each is not None and not each.is_constant))


def _over(loop: str, tensors: Iterable[Tensor | None]) -> Workload:
    elements = sum(tensor.size for tensor in tensors if tensor is not None)
    return (*ONE_CALL, LoopWork(loop, trips=elements))


MOVED = count_moved
TAKEN = count_taken
