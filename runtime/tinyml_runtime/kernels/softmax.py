"""SOFTMAX: exp(beta * x) of every element over the sum of those along the last axis.

Shapes    input [..., depth] -> output of the same shape
Types     float32 -> float32, int8 -> int8, int8 -> int16, int16 -> int16
Units     real = scale * (stored - zero point). int8 results have scale 1/256 and zero point -128;
          int16 results have 1/65536 and -32768 from int8, 1/32768 and 0 from int16
Source    tflite-micro `micro/kernels/softmax_common.cc`,
          `lite/kernels/internal/reference/softmax.h`, `lite/kernels/internal/common.h`

The exponential is a table over all differences of an element from the largest one of its row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multiplier_above_one,
    rounds_once,
)
from tinyml_runtime.kernels.binding import Bindable
from tinyml_runtime.kernels.gemmlowp_functions import (
    Raw,
    exp_on_negative_values,
    one_over_one_plus_x,
)
from tinyml_runtime.kernels.interpolated_tables import (
    exponential_table,
    interpolate,
    reciprocal_table,
)
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.unary import unary_operands
from tinyml_runtime.model.options import SoftmaxOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT = 0
OUTPUT = 0

# So few rows are computed one by one.
_FEW_ROWS = 4
_INPUT_BITS = 5
_SUM_BITS = 12
# From this exponent on every result of 8 bits is zero; TFLM stops the program.
_LARGEST_EXPONENT = 32
# Scale and zero point that an integer output must have, and how far the scale may be off.
_OUTPUT_SCALES = {
    (TensorType.INT8, TensorType.INT8): (1.0 / 256, -128, 0.0),
    (TensorType.INT8, TensorType.INT16): (1.0 / 65536, -32768, 1e-3),
    (TensorType.INT16, TensorType.INT16): (1.0 / 32768, 0, 1e-3),
}


@dataclass(frozen=True, slots=True)
class SoftmaxData:
    """`compute(columns, out)` on arrays [depth, rows]; a constant input does not come stacked.

    `compute_row` is for arrays [depth], if a single row has a shorter way.
    """

    compute: Callable[[Array, Array], object]
    compute_row: Bindable | None
    depth: int
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> SoftmaxData:
    """Check the scales and tabulate the exponentials."""
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    check(len(source.shape) >= 1, "the input is a scalar")
    check(source.size > 0, "the input has no elements")
    types = source.type, output.type
    beta = float(np.float32(node.options_as(SoftmaxOptions).beta))
    compute_row = None
    if types == (TensorType.FLOAT32, TensorType.FLOAT32):
        compute = partial(_softmax_floats, np.float32(beta))
        compute_row = _row_of_floats(beta)
    else:
        _check_scales(source, output)
        if source.type is TensorType.INT8:
            exponentials = _int8_exponentials(beta * source.scale)
            bits = 8 * output.dtype.itemsize
            compute = partial(_softmax_int8, exponentials, bits)
            compute_row = _row_of_int8(exponentials, bits)
        else:
            compute = partial(_softmax_int16, _int16_exponentials(beta * source.scale))
    return SoftmaxData(compute, compute_row, source.shape[-1], not source.is_constant)


def bind(context: EvalContext, node: Node, data: SoftmaxData) -> Callable[[], object]:
    """Normalize every row."""
    rows = context.input(node, INPUT).values.reshape(-1, data.depth)
    out = context.output(node, OUTPUT).values.reshape(-1, data.depth)
    if len(rows) <= _FEW_ROWS and data.compute_row is not None:
        parts = [data.compute_row.bind(*pair) for pair in zip(rows, out, strict=True)]
        return parts[0] if len(parts) == 1 else partial(_run_all, parts)
    if len(rows) < data.depth:
        return partial(data.compute, rows.T, out.T)

    def compute_columns() -> None:
        # NumPy is slow along short axes.
        data.compute(np.ascontiguousarray(rows.T), out.T)

    return compute_columns


def _run_all(parts: Sequence[Callable[[], object]]) -> None:
    for part in parts:
        part()


def _stacks(data: SoftmaxData) -> bool:
    return data.stackable


def _check_scales(source: Tensor, output: Tensor) -> None:
    expected = _OUTPUT_SCALES.get((source.type, output.type))
    names = f"{source.type.name} -> {output.type.name}"
    check(expected is not None, f"SOFTMAX has no kernel for {names}")
    assert expected is not None
    scale, zero_point, tolerance = expected
    if source.type is TensorType.INT16:
        check(source.zero_point == 0, "the zero point of an INT16 input is not 0")
    check(
        output.zero_point == zero_point and abs(output.scale - scale) <= tolerance * scale,
        f"output has scale {output.scale} and zero point {output.zero_point}; "
        f"{names} gives {scale} and {zero_point}",
    )


def _int8_exponentials(input_scale: float) -> Array:
    """exp(-difference * input_scale) in Q0 for differences from 0 to 255; 0 where Q5 ends."""
    largest = (2.0**30 if rounds_once() else 2.0**31) - 1.0
    factor = quantize_multiplier_above_one(min(input_scale * 2.0 ** (31 - _INPUT_BITS), largest))
    radius = math.ldexp(2**_INPUT_BITS - 1, 31 - _INPUT_BITS - factor.shift)
    differences = np.arange(2**8)
    within = differences <= math.floor(radius)
    scaled = multiply_by_quantized_multiplier(
        np.where(within, -differences, 0), factor.multiplier, factor.shift
    )
    return np.where(within, exp_on_negative_values(scaled, _INPUT_BITS), 0)


def _int16_exponentials(input_scale: float) -> Array:
    """exp(difference * input_scale) with 15 fraction bits, by the low 16 bits of the difference."""
    factor = quantize_multiplier(input_scale / (10.0 / 65535.0))
    differences = -(-np.arange(2**16) % 2**16)
    scaled = multiply_by_quantized_multiplier(differences, factor.multiplier, factor.shift)
    return interpolate(exponential_table(), np.clip(scaled + 32767, -32768, 32767))


def _softmax_floats(beta: np.float32, columns: Array, out: Array) -> None:
    results = columns - columns.max(axis=0)
    results *= beta
    np.exp(results, results)
    results /= np.add.reduce(results, axis=0)
    out[...] = results


def _row_of_floats(beta: float) -> Bindable:
    @Bindable
    def compute(values: Array, out: Array) -> Callable[[], None]:
        # Scalars are arrays: NumPy takes twice as long to make them of numbers.
        largest, total, factor = (np.array(number, np.float32) for number in (0.0, 0.0, beta))
        ones = np.ones(values.shape, np.float32)

        def run() -> None:
            np.maximum.reduce(values, out=largest)
            np.subtract(values, largest, out)
            if beta != 1.0:
                np.multiply(out, factor, out)
            np.exp(out, out)
            out.dot(ones, total)
            np.divide(out, total, out)

        return run

    return compute


def _softmax_int8(exponentials: Array, bits: int, columns: Array, out: Array) -> None:
    differences = np.subtract(columns.max(axis=0), columns).view(np.uint8)
    results = exponentials.take(differences)
    sums = _rounded(results).sum(axis=0) % 2**32
    factor, shift, rounding = _int8_rescaling(sums, 32 - _bit_length(sums), bits)
    results *= factor
    results += rounding
    results >>= shift
    results -= 1 << (bits - 1)
    np.minimum(results, (1 << (bits - 1)) - 1, out=results)
    np.copyto(out, results, casting="unsafe")


def _row_of_int8(exponentials: Array, bits: int) -> Bindable:
    """The same with a single sum, which is much faster in Python's integers."""
    rounded = _rounded(exponentials).astype(np.float64)
    offset, most = np.array(1 << (bits - 1)), np.array((1 << (bits - 1)) - 1)

    @Bindable
    def compute(values: Array, out: Array) -> Callable[[], None]:
        largest, total = np.array(0, np.int8), np.array(0.0)
        factor, shift, rounding = (np.array(0) for _ in range(3))
        differences = np.empty(values.shape, np.int8)
        places = differences.view(np.uint8)
        terms, ones = np.empty(values.shape), np.ones(values.shape)
        results = np.empty(values.shape, np.int64)

        def run() -> None:
            np.maximum.reduce(values, out=largest)
            np.subtract(largest, values, differences)
            rounded.take(places, None, terms, "wrap")
            terms.dot(ones, total)
            whole = int(total) % 2**32
            factor[()], shift[()], rounding[()] = _int8_rescaling(
                whole, 32 - whole.bit_length(), bits
            )
            exponentials.take(places, None, results, "wrap")
            np.multiply(results, factor, results)
            np.add(results, rounding, results)
            np.right_shift(results, shift, results)
            np.subtract(results, offset, results)
            np.minimum(results, most, out=results)
            out[...] = results

        return run

    return compute


def _rounded(exponentials: Array) -> Array:
    """With as many fraction bits as the sum has."""
    return (exponentials + (1 << (_SUM_BITS - 1))) >> _SUM_BITS


def _int8_rescaling(sums: Raw, headroom: Raw, bits: int) -> tuple[Raw, Raw, Raw]:
    """Factor, right shift and rounding that divide by the sums; `headroom`: their leading zeros.

    gemmlowp rounds twice, after the product and after the shift. Of numbers that are not negative
    the second takes the floor of a floor, so that both can be added before a single shift.
    """
    factor = one_over_one_plus_x((sums << headroom) - 2**31)
    exponent = _SUM_BITS - headroom + 31 - bits
    exponent = exponent - (exponent > _LARGEST_EXPONENT) * (exponent - _LARGEST_EXPONENT)
    return factor, exponent + 31, (1 << (exponent + 30)) + 2**30


def _softmax_int16(exponentials: Array, columns: Array, out: Array) -> None:
    differences = np.subtract(columns, columns.max(axis=0)).view(np.uint16)
    results = exponentials.take(differences)
    sums = results.sum(axis=0)
    length = np.minimum(_bit_length(sums), 31)
    shifted = ((sums << (31 - length)) + 2**13) >> 14
    centered = np.clip(shifted - (2**16 + 2**15), -(2**15), 2**15 - 1)
    results *= interpolate(reciprocal_table(), centered)
    right = length - 1
    results += 1 << (right - 1)
    results >>= right
    np.minimum(np.maximum(results, 0, out=results), 2**15 - 1, out=results)
    np.copyto(out, results, casting="unsafe")


def _bit_length(values: Array) -> Array:
    """Bits of integers from 0 to 2**53."""
    return np.frexp(values)[1].astype(np.int64)


SOFTMAX = Registration(BuiltinOperator.SOFTMAX, prepare, BindingEvaluate(bind), _stacks)
