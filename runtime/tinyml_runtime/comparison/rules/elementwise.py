"""Rules of operators that take element by element: sums, products, rectifiers, QUANTIZE.

Source    TFLite and TFLM `kernels/add.cc`, `mul.cc`, `activations.cc`, `quantize.cc`; XNNPACK
          `microparams-init.c`, whose vector kernels multiply by few bits
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tinyml_runtime.comparison.rules.curves import function_rules
from tinyml_runtime.comparison.rules.multiplying import AS_TFLM, Factors, Multiply
from tinyml_runtime.comparison.rules.rescaled import Rescaled, rescaling_rules
from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.model.options import LeakyReluOptions
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, TensorType

SHORT = (
    "short-multipliers",
    "multiplies by integers of few bits (8 after the point; 21 in all for sums)",
)
AT_ONCE = (
    "shift-in-factor",
    "takes the left shift of operands into their factor, which saves a rounding",
)
RESCALED = (
    "rescaled-clamp",
    "rescales to the output's scale before it clamps, where TFLM only clamps",
)
FLOAT_STEPS = (
    "float-quantization",
    "multiplies by the reciprocal of the scale in float32 and rounds ties to even",
)
# Operands of sums are shifted left before they are rescaled.
_LEFT_SHIFT = {TensorType.INT8: 20, TensorType.INT16: 15}
_SUM_BITS = 20
_POINT_BITS = 8


def sum_rules(operation: Operation) -> Iterator[Rule]:
    """ADD and SUB of integers."""
    first, second, output = operation.input(0), operation.input(1), operation.output
    if output.type not in _LEFT_SHIFT:
        return
    sign = -1 if operation.node.operator == "SUB" else 1
    shift = _LEFT_SHIFT[output.type]
    unit = 2.0 * max(first.scale, second.scale)
    last = Factors.ratio([unit], 2**shift * output.scale)

    def formula(multiply: Multiply, shift_in_factor: int = 0) -> Array:
        left, right = (
            multiply(
                _centered(tensor) << (shift - shift_in_factor),
                Factors.ratio([tensor.scale, 2**shift_in_factor], unit),
            )
            for tensor in (first, second)
        )
        return multiply(left + sign * right, last)

    rescaled = Rescaled.to(output, formula, _activation(operation))
    if output.type is TensorType.INT8:
        yield Rule(*SHORT, lambda: rescaled.stored(_sum_by_few_bits(operation, sign)))
    yield from rescaling_rules(rescaled)
    yield Rule(*AT_ONCE, lambda: rescaled.stored(formula(AS_TFLM, shift)))


def _sum_by_few_bits(operation: Operation, sign: int) -> Array:
    """XNNPACK: both operands by multipliers with one shift, whose larger one has 21 bits."""
    output = np.float32(operation.output.scale)
    tensors = operation.input(0), operation.input(1)
    ratios = [np.float32(tensor.scale) / output for tensor in tensors]
    _, exponent = np.frexp(max(ratios))
    shift = _SUM_BITS - (int(exponent) - 1)
    multipliers = [int(np.rint(np.ldexp(ratio, shift))) for ratio in ratios]
    left, right = (
        _centered(tensor) * multiplier
        for tensor, multiplier in zip(tensors, multipliers, strict=True)
    )
    return (left + sign * right + (1 << (shift - 1))) >> shift


def product_rules(operation: Operation) -> Iterator[Rule]:
    """MUL of integers."""
    first, second, output = operation.input(0), operation.input(1), operation.output
    if output.type not in _LEFT_SHIFT:
        return
    products = _centered(first) * _centered(second)
    factors = Factors.ratio([first.scale, second.scale], output.scale)
    rescaled = Rescaled.to(output, lambda way: way(products, factors), _activation(operation))
    yield from rescaling_rules(rescaled)


def rectifier_rules(operation: Operation) -> Iterator[Rule]:
    """RELU and LEAKY_RELU of integers."""
    source, output = operation.input(0), operation.output
    if output.type not in _LEFT_SHIFT:
        return
    is_leaky = operation.node.operator == "LEAKY_RELU"
    alpha = operation.node.options_as(LeakyReluOptions).alpha if is_leaky else 0.0
    values = _centered(source)
    above = Factors.ratio([source.scale], output.scale)
    below = Factors.ratio([source.scale, abs(alpha)], output.scale)
    sign = -1 if alpha < 0 else 1

    def formula(multiply: Multiply) -> Array:
        return np.where(values >= 0, multiply(values, above), sign * multiply(values, below))

    rescaled = Rescaled.to(output, formula, Activation.NONE)
    if is_leaky and output.type is TensorType.INT8:
        yield Rule(*SHORT, lambda: rescaled.stored(_leak_by_few_bits(source, output, alpha)))
    yield from rescaling_rules(rescaled)


def relu6_rules(operation: Operation) -> Iterator[Rule]:
    """RELU6: of integers with scales that differ, and as any function."""
    source, output = operation.input(0), operation.output
    if output.type in _LEFT_SHIFT:
        values = _centered(source)
        factors = Factors.ratio([source.scale], output.scale)
        rescaled = Rescaled.to(output, lambda way: way(values, factors), Activation.RELU6)
        yield Rule(*RESCALED, partial(rescaled.values, AS_TFLM))
    yield from function_rules(operation)


def _leak_by_few_bits(source: Tensor, output: Tensor, alpha: float) -> Array:
    """XNNPACK: multipliers with 8 bits after the point."""
    values = _centered(source)
    above = np.float32(source.scale) / np.float32(output.scale)
    below = above * np.float32(alpha)
    multipliers = np.where(values >= 0, _eight_bits(above), _eight_bits(below))
    return _by_few_bits(values, multipliers)


def quantize_rules(operation: Operation) -> Iterator[Rule]:
    """QUANTIZE: of floats, or of integers from one scale to another."""
    source, output = operation.input(0), operation.output
    if source.dtype.kind == "f":
        yield Rule(*FLOAT_STEPS, partial(_quantize_by_reciprocal, source, output), in_floats=True)
        return
    if not source.is_quantized:
        return
    values = _centered(source)
    factors = Factors.ratio([source.scale], output.scale)
    rescaled = Rescaled.to(output, lambda way: way(values, factors), Activation.NONE)
    if output.dtype.itemsize == 1:
        multiplier = _eight_bits(np.float32(source.scale) / np.float32(output.scale))
        yield Rule(*SHORT, lambda: rescaled.stored(_by_few_bits(values, multiplier)))
    yield Rule(*FLOAT_STEPS, partial(_requantize_by_reciprocal, source, output), in_floats=True)
    yield from rescaling_rules(rescaled)


def _quantize_by_reciprocal(source: Tensor, output: Tensor) -> Array:
    steps = source.values * (np.float32(1.0) / np.float32(output.scale))
    limits = np.iinfo(output.dtype)
    stored = np.rint(steps).astype(np.float64) + output.zero_point
    return np.nan_to_num(stored).clip(limits.min, limits.max).astype(output.dtype)


def _requantize_by_reciprocal(source: Tensor, output: Tensor) -> Array:
    real = _centered(source).astype(np.float32) * np.float32(source.scale)
    steps = real * (np.float32(1.0) / np.float32(output.scale)) + np.float32(output.zero_point)
    limits = np.iinfo(output.dtype)
    return np.rint(steps).clip(limits.min, limits.max).astype(output.dtype)


def _eight_bits(ratio: np.float32) -> int:
    return int(np.rint(np.float32(2**_POINT_BITS) * ratio))


def _by_few_bits(values: Array, multipliers: Array | int) -> Array:
    return (values * multipliers + (1 << (_POINT_BITS - 1))) >> _POINT_BITS


def _activation(operation: Operation) -> Activation:
    return getattr(operation.node.options, "fused_activation", Activation.NONE)


def _centered(tensor: Tensor) -> Array:
    return tensor.values.astype(np.int64) - tensor.zero_point
