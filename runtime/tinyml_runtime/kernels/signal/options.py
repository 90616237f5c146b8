"""What the front end's operators ask of their custom options and operands."""

from __future__ import annotations

from tinyml_runtime.errors import NodeError
from tinyml_runtime.model.flatbuffer import Defect
from tinyml_runtime.model.flexbuffer import FlexMap
from tinyml_runtime.registration import Node, check
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType


def read_integers(node: Node, *keys: str) -> tuple[int, ...]:
    """The 32-bit integers under `keys`, which must be in alphabetical order.

    TFLM takes the values by their place and never looks at the keys; so they must be the first
    ones of the map, in this order.
    """
    try:
        options = FlexMap(node.custom_options)
        found = options.keys[: len(keys)]
        check(
            found == keys,
            f"the custom options begin with {list(found)}; the operator reads {list(keys)}",
        )
        return tuple(_int32(options.stored_integer(index)) for index in range(len(keys)))
    except Defect as defect:
        raise NodeError(f"the custom options cannot be read: {defect.reason}") from None


def check_tensor(tensor: Tensor, role: str, kind: TensorType, rank: int) -> None:
    """Raise NodeError unless the tensor has this element type and number of dimensions."""
    check(tensor.type is kind, f"{role} is {tensor.type.name}; this kernel takes {kind.name}")
    check(
        len(tensor.shape) == rank,
        f"{role} has {len(tensor.shape)} dimensions; this kernel takes {rank}",
    )


def check_shift(shift: int, name: str, bits: int) -> None:
    """Raise NodeError unless `shift` is a shift of a number of `bits` bits."""
    check(0 <= shift < bits, f"{name} is {shift}, which is no shift of a {bits}-bit number")


def _int32(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31
