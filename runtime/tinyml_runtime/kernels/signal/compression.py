"""SignalFilterBankSquareRoot and SignalFilterBankLog: levels of channels in fewer bits.

Shapes    input [channels] (SquareRoot: and scale bits []) -> output [channels]
Types     SquareRoot uint64 and int32 -> uint32; Log uint32 -> int16
Units     SquareRoot: the nearest root, shifted right by scale bits; Log: the natural logarithm of
          the input times 2**input_correction_bits, times output_scale
Source    tflite-micro `signal/micro/kernels/{filter_bank_square_root,filter_bank_log}.cc`,
          `signal/src/{filter_bank_square_root,square_root_32,square_root_64}.cc`,
          `signal/src/{filter_bank_log,log}.cc`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.options import check_shift, check_tensor, read_integers
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check_shape,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

INPUT, SCALE_BITS = 0, 1
OUTPUT = 0

# Below this, the double-precision root is on the right side of every half.
_EXACT_ROOTS = 2**48
# Between these the nearest root is 2**16, for which TFLM's root of 32 bits has no room.
_FIRST_CAPPED, _LAST_CAPPED = 2**32 - 2**16 + 1, 2**32 - 1

# Logarithms have 16 bits of fraction; the curve is straight in each of 128 segments between powers.
_FRACTION_BITS, _SEGMENT_BITS = 16, 7
_WITHIN_SEGMENT_BITS = _FRACTION_BITS - _SEGMENT_BITS
_LOG_OF_2 = 45426
# A double has 52 bits of fraction below its exponent, which is 1023 too large.
_FLOAT_BITS, _FLOAT_BIAS = 52, 1023
_LARGEST_LOG = (32 * _LOG_OF_2) + 1
_INT16_MAX = 2**15 - 1

# Arrays without dimensions spare NumPy the conversion of numbers.
_ONE = np.array(1, np.uint32)
_SHIFT_MASK = np.array(31, np.int64)
_TO_LOG_SHIFT = np.array(_FLOAT_BITS - _FRACTION_BITS, np.int64)
_FRACTION_MASK = np.array((1 << _FRACTION_BITS) - 1, np.int64)
_FRACTION_SHIFT = np.array(_FRACTION_BITS, np.int64)
_LOG_FACTOR = np.array(_LOG_OF_2, np.int64)
_ROUNDING = np.array(1 << (_FRACTION_BITS - 1), np.int64)
# Removes the bias of the exponent from the product with the factor, and rounds.
_LOG_OFFSET = _ROUNDING - (_FLOAT_BIAS << _FRACTION_BITS) * _LOG_FACTOR


@dataclass(frozen=True, slots=True)
class RootData:
    """How many channels there are, and whether several samples can be taken at once."""

    channels: int
    stackable: bool


@dataclass(frozen=True, slots=True)
class LogData:
    """`curve` is what a binary logarithm has above a straight line, for each fraction.

    `overflows` says whether the result may need more than 16 bits.
    """

    correction_bits: Array
    output_scale: Array
    overflows: bool
    curve: Array
    stackable: bool


def prepare_square_root(context: PrepareContext, node: Node) -> RootData:
    """Check the operands."""
    check_counts(node, (2,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.UINT64, 1)
    check_tensor(context.input(node, SCALE_BITS), "scale_bits", TensorType.INT32, 0)
    check_tensor(output, "the output", TensorType.UINT32, 1)
    check_shape(output, "the output", source.shape)
    return RootData(source.size, not source.is_constant and source.size > 0)


def bind_square_root(context: EvalContext, node: Node, data: RootData) -> Callable[[], None]:
    """Take the roots and shift them right, by as much as the processor sees of the scale bits."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    if not data.channels:
        return lambda: None
    scale_bits = context.input(node, SCALE_BITS).values.reshape(-1, 1)
    shifts = np.empty(scale_bits.shape, np.int64)
    exact, roots = np.empty(source.shape), np.empty(source.shape, np.int64)
    rows = roots.reshape(-1, data.channels)

    def run() -> None:
        shifts[...] = scale_bits
        np.bitwise_and(shifts, _SHIFT_MASK, shifts)
        exact[...] = source
        np.sqrt(exact, exact)
        np.rint(exact, exact)
        roots[...] = exact
        largest = source.item(source.argmax())
        if largest >= _EXACT_ROOTS:
            _correct(roots, source)
        if largest >= _FIRST_CAPPED:
            np.subtract(roots, (source >= _FIRST_CAPPED) & (source <= _LAST_CAPPED), roots)
        np.right_shift(rows, shifts, rows)
        output[...] = roots

    return run


def _correct(roots: Array, values: Array) -> None:
    """From roots of uint64 values that are wrong by one at most to the nearest ones, capped."""
    # Differences wrap, but they are small.
    excess = (values - (roots * roots).view(np.uint64)).view(np.int64)
    roots += (excess > roots).astype(np.int64) - ((excess <= -roots) & (roots > 0))
    np.minimum(roots, 2**32 - 1, out=roots)


def prepare_log(context: PrepareContext, node: Node) -> LogData:
    """Check the operands and make the curve between powers of two."""
    check_counts(node, (1,))
    correction_bits, output_scale = read_integers(node, "input_correction_bits", "output_scale")
    check_shift(correction_bits, "input_correction_bits", 32)
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.UINT32, 1)
    check_tensor(output, "the output", TensorType.INT16, 1)
    check_shape(output, "the output", source.shape)
    scale = output_scale % 2**32
    return LogData(
        correction_bits=np.array(correction_bits, np.uint32),
        output_scale=np.array(scale, np.int64),
        overflows=scale * _LARGEST_LOG + 2**_FRACTION_BITS > _INT16_MAX << _FRACTION_BITS,
        curve=_curve(),
        stackable=not source.is_constant,
    )


def _curve() -> Array:
    """log2(1 + fraction) - fraction, as TFLM interpolates it: hardly, between 128 points."""
    segments = 1 << _SEGMENT_BITS
    points = [math.log2(1 + index / segments) - index / segments for index in range(segments + 1)]
    heights = np.rint(np.array(points) * 2**_FRACTION_BITS).astype(np.int64)
    within = np.arange(1 << _WITHIN_SEGMENT_BITS)
    slopes = np.diff(heights)[:, None]
    curve = heights[:-1, None] + ((slopes * within) >> _FRACTION_BITS)
    return curve.reshape(-1)


def bind_log(context: EvalContext, node: Node, data: LogData) -> Callable[[], None]:
    """Exponent and fraction are a logarithm of straight lines; add the curve, change the base."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    scaled, exact = np.empty_like(source), np.empty(source.shape)
    logs = exact.view(np.int64)
    fractions, curves = np.empty_like(logs), np.empty_like(logs)
    add, multiply, right_shift = np.add, np.multiply, np.right_shift

    def run() -> None:
        np.left_shift(source, data.correction_bits, scaled)
        np.maximum(scaled, _ONE, out=scaled)  # the logarithm of 0 is to be 0 too
        exact[...] = scaled
        right_shift(logs, _TO_LOG_SHIFT, logs)
        np.bitwise_and(logs, _FRACTION_MASK, fractions)
        data.curve.take(fractions, None, curves, "clip")
        add(logs, curves, logs)
        multiply(logs, _LOG_FACTOR, logs)
        add(logs, _LOG_OFFSET, logs)
        right_shift(logs, _FRACTION_SHIFT, logs)
        multiply(logs, data.output_scale, logs)
        add(logs, _ROUNDING, logs)
        if data.overflows:
            np.bitwise_and(logs, 2**32 - 1, logs)
            np.minimum(logs, _INT16_MAX << _FRACTION_BITS, out=logs)
        right_shift(logs, _FRACTION_SHIFT, logs)
        output[...] = logs

    return run


def _stacks(data: RootData | LogData) -> bool:
    return data.stackable


SIGNAL_FILTER_BANK_SQUARE_ROOT = Registration(
    "SignalFilterBankSquareRoot", prepare_square_root, BindingEvaluate(bind_square_root), _stacks
)
SIGNAL_FILTER_BANK_LOG = Registration(
    "SignalFilterBankLog", prepare_log, BindingEvaluate(bind_log), _stacks
)
