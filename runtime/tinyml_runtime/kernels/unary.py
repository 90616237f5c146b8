"""Operators of one operand that treat every element by itself, whatever the shape.

Shapes    input of any shape -> output of as many elements

An operator on 8- or 16-bit values is a table with the result for each of them: its formula, in
exact integers, is worked out once per node, and evaluating is looking up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinyml_runtime.kernels.binding import Bindable, bind_arrays
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    check,
)
from tinyml_runtime.tensor import Array, Tensor, dtype_of
from tinyml_runtime.types import TensorType

INPUT = 0
OUTPUT = 0


@dataclass(frozen=True, slots=True)
class UnaryData:
    """`compute(values, out)` on flat arrays; a constant input does not come stacked."""

    compute: Callable[[Array, Array], object]
    stackable: bool


def unary_operands(context: PrepareContext, node: Node) -> tuple[Tensor, Tensor]:
    """Input and output; NodeError unless they have the same number of elements."""
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(
        source.size == output.size,
        f"output has {output.size} elements, the operator makes {source.size}",
    )
    return source, output


def bind_unary(context: EvalContext, node: Node, data: UnaryData) -> Callable[[], object]:
    """Compute every element of the output from its element of the input."""
    values, out = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    return bind_arrays(data.compute, values.reshape(-1), out.reshape(-1))


evaluate_unary = BindingEvaluate(bind_unary)


def unary_stacks(data: UnaryData) -> bool:
    """Any number of samples can be evaluated at once, unless the input is a constant."""
    return data.stackable


def tabulated(source: Tensor, output: Tensor, formula: Callable[[Array], Array]) -> UnaryData:
    """The operator that `formula` defines on stored 8- or 16-bit values.

    The formula takes int64 values and gives results that fit the output's type.
    """
    index = np.dtype(f"u{source.dtype.itemsize}")
    values = every_value(source.type)
    table = formula(values.astype(np.int64)).astype(output.dtype)
    compute = _as_clamp(table, values)
    return UnaryData(compute or table_look_up(table, index), not source.is_constant)


def every_value(kind: TensorType) -> Array:
    """All values that an element of 8 or 16 bits can have, in the order of their bits."""
    dtype = dtype_of(kind)
    return np.arange(2 ** (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}").view(dtype)


def table_look_up(table: Array, index: np.dtype[np.unsignedinteger]) -> Bindable:
    """A `compute` that takes results from `table` by the bits of the values."""

    @Bindable
    def look_up(values: Array, out: Array) -> Callable[[], object]:
        return partial(table.take, values.view(index), None, out, "wrap")

    return look_up


def _as_clamp(table: Array, values: Array) -> Callable[[Array, Array], object] | None:
    """The same as `table` by comparisons, much faster, where it does nothing but clamp."""
    low, high = np.array(table.min()), np.array(table.max())
    if table.dtype != values.dtype or not np.array_equal(table, np.clip(values, low, high)):
        return None

    @Bindable
    def clamp(values: Array, out: Array) -> Callable[[], object]:
        return partial(values.clip, low, high, out)

    return clamp
