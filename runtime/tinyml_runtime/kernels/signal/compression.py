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
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.options import check_shift, check_tensor, read_integers
from tinyml_runtime.registration import (
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
# From the first to the last of these, the nearest root is 2**16, which TFLM's 32-bit root cannot be.
_FIRST_CAPPED, _LAST_CAPPED = 2**32 - 2**16 + 1, 2**32 - 1

_FRACTION_BITS = 16
_SEGMENT_BITS = 7
_WITHIN_SEGMENT_BITS = _FRACTION_BITS - _SEGMENT_BITS
_ROUNDING = 1 << (_FRACTION_BITS - 1)
# The natural logarithm of 2.
_LOG_2 = 45426
# A double has 52 bits of fraction below its exponent, which is 1023 too large.
_FLOAT_SHIFT = 52 - _FRACTION_BITS
_FLOAT_BIAS = 1023 << _FRACTION_BITS
_INT16_MAX = 2**15 - 1


@dataclass(frozen=True, slots=True)
class CompressionData:
    """What `prepare` settles; all but the first two are of the logarithm."""

    channels: int
    stackable: bool
    correction_bits: Array | None = None
    output_scale: int = 0
    curve: Array | None = None
    slopes: Array | None = None


def prepare_square_root(context: PrepareContext, node: Node) -> CompressionData:
    """Check the operands."""
    check_counts(node, (2,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.UINT64, 1)
    check_tensor(context.input(node, SCALE_BITS), "scale_bits", TensorType.INT32, 0)
    check_tensor(output, "the output", TensorType.UINT32, 1)
    check_shape(output, "the output", source.shape)
    return CompressionData(source.size, not source.is_constant and source.size > 0)


def evaluate_square_root(context: EvalContext, node: Node, data: CompressionData) -> None:
    """Take the roots and shift them right, by as much as the processor sees of the scale bits."""
    output = context.output(node, OUTPUT).values
    scale_bits = context.input(node, SCALE_BITS).values.reshape(-1, 1)
    roots = _nearest_roots(context.input(node, INPUT).values)
    rows = roots.reshape(-1, data.channels) if data.channels else roots[None]
    np.copyto(output, (rows >> (scale_bits & 31)).reshape(output.shape), casting="unsafe")


def _nearest_roots(values: Array) -> Array:
    """The integers nearest to the roots of uint64 values, as int64, capped as TFLM caps them."""
    roots = np.rint(np.sqrt(values.astype(np.float64))).astype(np.int64)
    largest = int(np.maximum.reduce(values, initial=0))
    if largest >= _EXACT_ROOTS:
        # Differences wrap, but they are small: the root is wrong by one at most.
        squares = (roots * roots).view(np.uint64)
        excess = (values - squares).view(np.int64)
        roots += (excess > roots).astype(np.int64) - ((excess <= -roots) & (roots > 0))
        np.minimum(roots, 2**32 - 1, out=roots)
    if largest >= _FIRST_CAPPED:
        roots -= (values >= _FIRST_CAPPED) & (values <= _LAST_CAPPED)
    return roots


def prepare_log(context: PrepareContext, node: Node) -> CompressionData:
    """Check the operands and make the curve between powers of two."""
    check_counts(node, (1,))
    correction_bits, output_scale = read_integers(node, "input_correction_bits", "output_scale")
    check_shift(correction_bits, "input_correction_bits", 32)
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.UINT32, 1)
    check_tensor(output, "the output", TensorType.INT16, 1)
    check_shape(output, "the output", source.shape)
    segments = 1 << _SEGMENT_BITS
    curve = [math.log2(1 + index / segments) - index / segments for index in range(segments + 1)]
    rounded = np.rint(np.array(curve) * 2**_FRACTION_BITS).astype(np.int64)
    return CompressionData(
        channels=source.size,
        stackable=not source.is_constant,
        correction_bits=np.array(correction_bits, np.uint32),
        output_scale=output_scale % 2**32,
        curve=rounded[:-1],
        slopes=np.diff(rounded),
    )


def evaluate_log(context: EvalContext, node: Node, data: CompressionData) -> None:
    """Exponent and fraction are a logarithm of straight lines; add the curve, change the base."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    assert data.curve is not None
    assert data.slopes is not None
    # 0 becomes 1, whose logarithm is 0.
    scaled = np.maximum(np.left_shift(source, data.correction_bits), 1)
    logs = scaled.astype(np.float64).view(np.int64)
    np.right_shift(logs, _FLOAT_SHIFT, out=logs)
    np.subtract(logs, _FLOAT_BIAS, out=logs)
    segments = (logs >> _WITHIN_SEGMENT_BITS) & ((1 << _SEGMENT_BITS) - 1)
    within = logs & ((1 << _WITHIN_SEGMENT_BITS) - 1)
    np.multiply(within, data.slopes[segments], out=within)
    np.right_shift(within, _FRACTION_BITS, out=within)
    np.add(logs, within, out=logs)
    np.add(logs, data.curve[segments], out=logs)
    logs = (logs * _LOG_2 + _ROUNDING) >> _FRACTION_BITS
    logs = ((logs * data.output_scale + _ROUNDING) & (2**32 - 1)) >> _FRACTION_BITS
    np.minimum(logs, _INT16_MAX, out=logs)
    np.copyto(output, logs, casting="unsafe")


def _stacks(data: CompressionData) -> bool:
    return data.stackable


SIGNAL_FILTER_BANK_SQUARE_ROOT = Registration(
    "SignalFilterBankSquareRoot", prepare_square_root, evaluate_square_root, _stacks
)
SIGNAL_FILTER_BANK_LOG = Registration("SignalFilterBankLog", prepare_log, evaluate_log, _stacks)
