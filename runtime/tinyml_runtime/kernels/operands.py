"""What the kernels that move data ask of their operands: how many, alike, which constants."""

from __future__ import annotations

from collections.abc import Collection
from math import prod

import numpy as np

from tinyml_runtime.registration import Node, check
from tinyml_runtime.tensor import Tensor

_WORD = np.dtype("<i4")


def check_counts(node: Node, inputs: Collection[int], outputs: int = 1) -> None:
    """Raise NodeError unless the node has one of these numbers of inputs, and these outputs."""
    given = len(node.inputs), len(node.outputs)
    allowed = " or ".join(map(str, inputs))
    check(given[0] in inputs, f"the node has {given[0]} inputs; this kernel takes {allowed}")
    check(given[1] == outputs, f"the node has {given[1]} outputs; this kernel gives {outputs}")


def check_same_type(tensor: Tensor, role: str, like: Tensor) -> None:
    """Raise NodeError unless the tensor, which plays `role`, has the element type of `like`."""
    names = f"{tensor.type.name}, the input is {like.type.name}"
    check(tensor.type is like.type, f"{role} is {names}; this kernel does not convert")


def constant_words(tensor: Tensor, role: str, count: int) -> list[int]:
    """The first `count` 32-bit words of a constant; NodeError where it is none or is shorter.

    TFLM reads axes and sizes as 32-bit integers, whatever the tensor's type is.
    """
    check(tensor.is_constant, f"Non-constant >{role}< tensor is not supported")
    words = tensor.values.nbytes // _WORD.itemsize
    check(words >= count, f"'{role}' holds {words} 32-bit integers, {count} are needed")
    return np.frombuffer(tensor.values.tobytes(), _WORD, count).tolist()


def resolve_axis(axis: int, rank: int) -> int:
    """`axis` counted from the first dimension; NodeError where there is no such dimension."""
    check(-rank <= axis < rank, f"axis {axis} is out of the range of {rank} dimensions")
    return axis + rank if axis < 0 else axis


def samples_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` with an axis of samples in front, to reshape one sample or several stacked ones.

    NumPy cannot tell the number of samples where they have no elements; then it is one.
    """
    return (-1 if prod(shape) else 1, *shape)
