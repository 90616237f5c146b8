"""Sums and products of int16 operands; and the scales of sums, which those of int8 share.

The operand with the smaller scale is rescaled by a table, the other one by a power of two. What is
left is a rescaling of exact sums or products.

Source    tflite-micro `micro/kernels/add_common.cc`, `mul_common.cc`,
          `lite/kernels/internal/reference/add.h`, `mul.h`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.fixed_point import (
    FixedPoint,
    multiply_by_quantized_multiplier,
    quantize_multiplier_below_one,
    rounds_once,
    scale_type,
    wrap_int32,
)
from tinyml_runtime.kernels.binding import Bindable
from tinyml_runtime.kernels.broadcast import Operands
from tinyml_runtime.kernels.fused_activation import quantized_range
from tinyml_runtime.kernels.unary import every_value
from tinyml_runtime.registration import check
from tinyml_runtime.requantize import OutputRange, Requantizer
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, TensorType

# Operands are shifted left before they are rescaled, as far as 32 bits allow, to keep precision.
_LEFT_SHIFT = {TensorType.INT8: 20, TensorType.INT16: 15}


@dataclass(frozen=True, slots=True)
class OperandScaling:
    """How an operand of a sum is rescaled: stored values to parts of twice the larger scale."""

    zero_point: int
    left_shift: int
    factor: FixedPoint

    def __call__(self, stored: Array) -> Array:
        """The rescaled values, exact, of stored values as int64."""
        return rescale(wrap_int32((stored - self.zero_point) << self.left_shift), self.factor)

    def in_floats(self, stored: Array) -> Array:
        """The same of stored values as float64: exact, too, since a product has only 48 bits."""
        if abs(self.zero_point) > 2**15:
            return self(stored.astype(np.int64)).astype(np.float64)
        scaled = stored - self.zero_point
        scaled *= math.ldexp(self.factor.multiplier, self.left_shift + self.factor.shift - 31)
        if self.factor.shift < 0 and not rounds_once():
            scaled += np.copysign(math.ldexp(0.5, self.factor.shift), scaled)
        scaled += 0.5
        return np.floor(scaled, scaled)


@dataclass(frozen=True, slots=True)
class SumScaling:
    """The rescaling of both operands, and the factor of their sum."""

    first: OperandScaling
    second: OperandScaling
    factor: FixedPoint


def sum_scaling(operands: Operands) -> SumScaling:
    """The scaling of a quantized sum; NodeError for impossible scales."""
    first, second, output = operands.first, operands.second, operands.output
    number = scale_type()
    unit = number(2.0 * max(first.scale, second.scale))
    check(bool(unit > 0.0) and output.scale > 0.0, "a scale is not positive")
    shift = _LEFT_SHIFT[output.type]
    first_factor, second_factor = (
        quantize_multiplier_below_one(float(number(tensor.scale) / unit))
        for tensor in (first, second)
    )
    return SumScaling(
        OperandScaling(first.zero_point, shift, first_factor),
        OperandScaling(second.zero_point, shift, second_factor),
        quantize_multiplier_below_one(float(unit / number(2**shift * output.scale))),
    )


def rescale(values: Array, factor: FixedPoint) -> Array:
    """int32 values times the factor, exact."""
    return multiply_by_quantized_multiplier(values, factor.multiplier, factor.shift)


def int16_sum(
    operands: Operands, scaling: SumScaling, sign: int, activation: Activation
) -> Bindable:
    """The first int16 operand plus (sign 1) or minus (-1) the second."""
    first, second = _Term(scaling.first, 1), _Term(scaling.second, sign)
    rescaled = _rescaling(operands.output, activation, scaling.factor, first.bound + second.bound)

    @Bindable
    def compute(x: Array, y: Array, out: Array) -> Callable[[], None]:
        read_x, read_y, requantize = first.bind(x), second.bind(y), rescaled.bind(out)
        return lambda: requantize(np.add(read_x(), read_y()))

    return compute


def int16_product(output: Tensor, activation: Activation, factor: FixedPoint) -> Bindable:
    """The product of two int16 operands without zero points."""
    rescaled = _rescaling(output, activation, factor, 2**30)

    @Bindable
    def compute(x: Array, y: Array, out: Array) -> Callable[[], None]:
        requantize = rescaled.bind(out)
        wide_x, wide_y, product = (np.empty(each.shape) for each in (x, y, out))

        def run() -> None:
            wide_x[...] = x
            wide_y[...] = y
            np.multiply(wide_x, wide_y, product)
            requantize(product)

        return run

    return compute


class _Term:
    """The rescaled values of an operand as float64, times a sign."""

    def __init__(self, scaling: OperandScaling, sign: int) -> None:
        values = every_value(TensorType.INT16).astype(np.float64)
        self._table = sign * scaling.in_floats(values)
        self.bound = int(np.abs(self._table).max())
        self._slope = np.array(sign * 2.0 ** (scaling.left_shift - 1))
        self._offset = np.array(float(-scaling.zero_point))
        values += self._offset
        values *= self._slope
        self._is_linear = np.array_equal(self._table, values)

    def bind(self, values: Array) -> Callable[[], Array]:
        """What gives the rescaled values."""
        slope, offset = self._slope, self._offset
        if not self._is_linear:
            table, bits = self._table, values.view(np.uint16)
            return lambda: table.take(bits, None, None, "wrap")

        def multiply() -> Array:
            wide = values.astype(np.float64)
            if offset:
                np.add(wide, offset, wide)
            return np.multiply(wide, slope, wide)

        return multiply


def _rescaling(
    output: Tensor, activation: Activation, factor: FixedPoint, bound: int
) -> Requantizer:
    low, high = quantized_range(activation, output)
    limits = OutputRange(output.zero_point, low, high, 16)
    return Requantizer([factor], limits, channels=1, rows=output.size, bounds=bound)
