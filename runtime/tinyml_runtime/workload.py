"""Which loops a kernel runs, and how often: what is priced on a target.

A kernel library's compiled kernel is a nest of loops. How often each is entered, and how often its
body runs in all, follows from shapes, padding, strides and types; what one entry and one turn cost
on an instruction set stands in the profiles. A loop is known by its name, `kernel.loop`, which
means the same piece of code in a workload and in the tables of costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Array, Tensor


@dataclass(frozen=True, slots=True)
class LoopWork:
    """A loop that is entered `entries` times, and whose body runs `trips` times in all.

    Code that is in no loop counts as one entry without trips. Both may be fractions, where only
    the mean over the values is known.
    """

    loop: str
    entries: float = 0
    trips: float = 0


Workload: TypeAlias = Sequence[LoopWork]


class WorkContext(Protocol):
    """What a workload may depend on: the node's tensors, the core, and values where any are known.

    How often some loops run depends on values. Before a run a workload has the mean over all.
    """

    @property
    def extensions(self) -> frozenset[str]:
        """What the core has beyond its base ("dsp", "mve", "esp32s3", ...)."""
        ...

    def input(self, node: Node, position: int) -> Tensor | None:
        """The input tensor at `position`, or None where the node has none there."""
        ...

    def output(self, node: Node, position: int) -> Tensor | None:
        """The output tensor at `position`, or None where the node has none there."""
        ...

    def zero_share(self, node: Node, position: int) -> float:
        """The share of floats of the input tensor at `position` that are zero."""
        ...

    def values(self, node: Node, position: int) -> Array | None:
        """What the input tensor at `position` holds while the node runs; None before a run."""
        ...


CountLoops: TypeAlias = Callable[[WorkContext, Node], Workload]


def operand(tensor: Tensor | None) -> Tensor:
    """The same tensor, which the kernel's `prepare` has made sure is there."""
    if tensor is None:
        raise LookupError("a workload asks for a tensor that the node does not have")
    return tensor
