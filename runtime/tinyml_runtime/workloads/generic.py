"""Loops over elements: what stands for kernels that nobody has counted, at an assumed price."""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload

GENERIC = "generic"


def count_made(context: WorkContext, node: Node) -> Workload:
    """A turn for every element that the node makes."""
    outputs = (context.output(node, place) for place in range(len(node.outputs)))
    return _over(sum(tensor.size for tensor in outputs if tensor is not None))


def count_taken(context: WorkContext, node: Node) -> Workload:
    """A turn for every element that the node takes, where it makes fewer; no constants."""
    inputs = (context.input(node, place) for place in range(len(node.inputs)))
    return _over(sum(each.size for each in inputs if each is not None and not each.is_constant))


def _over(elements: int) -> Workload:
    return (LoopWork(f"{GENERIC}.element", entries=1, trips=elements),)


TAKEN = count_taken
