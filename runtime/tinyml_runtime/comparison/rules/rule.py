"""What a rule is, and the operator that it recomputes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Array, Tensor


@dataclass(frozen=True, slots=True)
class Operation:
    """A node, and its tensors with the values that it is given; None: an input that is absent."""

    node: Node
    inputs: Sequence[Tensor | None]
    outputs: Sequence[Tensor]

    def input(self, position: int) -> Tensor:
        """The input at `position`, which must exist."""
        tensor = self.inputs[position]
        assert tensor is not None
        return tensor

    def optional_input(self, position: int) -> Tensor | None:
        """The input at `position`, or None where the node has none there."""
        return self.inputs[position] if position < len(self.inputs) else None

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self.outputs[0]


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to compute the first output, by the name of what it does otherwise than TFLM.

    `recompute` gives the values that a runtime has that follows the rule. Floats do not come out
    alike to the last bit: `bound`, for them, gives how far from the exact value each may be.
    `in_floats` says that integers are computed through floats, as no microcontroller's kernel does.
    """

    name: str
    words: str
    recompute: Callable[[], Array]
    bound: Callable[[], Array] | None = None
    in_floats: bool = False
