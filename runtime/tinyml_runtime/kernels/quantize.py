"""QUANTIZE, DEQUANTIZE: between real and stored values, and from one scale to another.

Shapes    input of any shape -> output of the same shape
Types     QUANTIZE: float32 -> int8, int16; int32 -> int8, int16; int16 -> int8, int16, int32;
          int8 -> int8, uint8, int16, int32; uint8 -> int8.
          DEQUANTIZE: int8, uint8, int16 -> float32
Units     real = scale * (stored - zero point). Of a tensor with a scale per channel DEQUANTIZE
          applies the first to all, as TFLM does
Source    tflite-micro `micro/kernels/quantize_common.cc`, `dequantize_common.cc`,
          `lite/kernels/internal/reference/quantize.h`, `requantize.h`, `dequantize.h`
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from tinyml_runtime.kernels.binding import Bindable
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.unary import (
    UnaryData,
    evaluate_unary,
    tabulated,
    unary_operands,
    unary_stacks,
)
from tinyml_runtime.registration import Node, PrepareContext, Registration, check, check_type
from tinyml_runtime.requantize import OutputRange, Requantizer
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

_QUANTIZES = {
    TensorType.FLOAT32: (TensorType.INT8, TensorType.INT16),
    TensorType.INT32: (TensorType.INT8, TensorType.INT16),
    TensorType.INT16: (TensorType.INT8, TensorType.INT16, TensorType.INT32),
    TensorType.INT8: (TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.INT32),
    TensorType.UINT8: (TensorType.INT8,),
}
# A float32 that is not a tie is further from it than this part of itself; a tie moves away from 0.
_TIE_BREAKER = 1.0 + 2.0**-30
# For fewer values it is faster to look results up.
_FEW_ELEMENTS = 1024
# Differences of stored values from such zero points are exact in float32.
_LARGEST_EXACT = 2**23


def prepare_quantize(context: PrepareContext, node: Node) -> UnaryData:
    """Settle the scale or the rescaling."""
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    check(
        output.type in _QUANTIZES.get(source.type, ()),
        f"Input {source.type.name}, output {output.type.name} not supported.",
    )
    scales = len(output.quantization.scales)
    check(output.is_quantized and scales == 1, f"the output has {scales} scales, not one")
    check(output.scale > 0.0, "the scale of the output is not positive")
    if source.type is TensorType.FLOAT32:
        return UnaryData(_quantize_floats(output), not source.is_constant)
    rescale = _rescale(source, output)
    if source.type is not TensorType.INT32:
        return tabulated(source, output, rescale)

    if not source.zero_point:
        return UnaryData(_requantize_words(source, output), not source.is_constant)

    def rescale_words(values: Array, out: Array) -> None:
        np.copyto(out, rescale(values.astype(np.int64)), casting="unsafe")

    return UnaryData(rescale_words, not source.is_constant)


def prepare_dequantize(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the real values of a few 8-bit values; those of others are multiplied out."""
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    check_type(source, "input", TensorType.INT8, TensorType.UINT8, TensorType.INT16)
    check_type(output, "output", TensorType.FLOAT32)

    def real(stored: Array) -> Array:
        with np.errstate(over="ignore"):
            return (source.scale * (stored - source.zero_point)).astype(np.float32)

    is_small = source.type is not TensorType.INT16 and source.size < _FEW_ELEMENTS
    if is_small or abs(source.zero_point) > _LARGEST_EXACT:
        return tabulated(source, output, real)
    return UnaryData(_multiply_out(source), not source.is_constant)


def _multiply_out(source: Tensor) -> Bindable:
    """As TFLM in float64: up to the last rounding the product is exact there, and here too."""
    scale, zero_point = (np.array(x, np.float32) for x in (source.scale, source.zero_point))

    @Bindable
    def multiply_out(values: Array, out: Array) -> Callable[[], None]:
        def run() -> None:
            out[...] = values
            np.subtract(out, zero_point, out)
            np.multiply(out, scale, out)

        return run

    return multiply_out


def _quantize_floats(output: Tensor) -> Bindable:
    """Divide in float32, round half away from zero, saturate; what is no number becomes lowest.

    What no 32-bit integer can hold before it saturates is undefined in C; it saturates as well.
    """
    limits = np.iinfo(output.dtype)
    scale = np.array(output.scale, np.float32)
    tie_breaker = np.array(_TIE_BREAKER)
    unsigned = np.dtype(f"u{output.dtype.itemsize}")
    flip = np.array(-int(limits.min), unsigned)
    # All that survives is positive before it is truncated, which then rounds down.
    offset = np.array(output.zero_point - int(limits.min) + 0.5)
    lowest, highest = np.array(0.0), np.array(float(limits.max - limits.min))

    @Bindable
    def quantize(values: Array, out: Array) -> Callable[[], None]:
        bits, steps = out.view(unsigned), np.empty(values.shape)

        def run() -> None:
            steps[...] = np.divide(values, scale)
            np.multiply(steps, tie_breaker, steps)
            np.add(steps, offset, steps)
            steps.clip(lowest, highest, steps)
            bits[...] = steps
            np.bitwise_xor(bits, flip, bits)

        return run

    return quantize


def _requantize_words(source: Tensor, output: Tensor) -> Bindable:
    limits = np.iinfo(output.dtype)
    requantizer = Requantizer(
        [quantize_multiplier(source.scale / output.scale)],
        OutputRange(output.zero_point, int(limits.min), int(limits.max), limits.bits),
        channels=1,
        rows=source.size,
        bounds=INT32_MAX,
    )

    @Bindable
    def requantize(values: Array, out: Array) -> Callable[[], None]:
        store = requantizer.bind(out)
        return lambda: store(values.astype(np.float64))

    return requantize


def _rescale(source: Tensor, output: Tensor) -> Callable[[Array], Array]:
    factor = quantize_multiplier(source.scale / output.scale)
    limits = np.iinfo(output.dtype)

    def rescale(stored: Array) -> Array:
        centered = stored - source.zero_point
        scaled = multiply_by_quantized_multiplier(centered, factor.multiplier, factor.shift)
        scaled += output.zero_point
        return scaled.clip(limits.min, limits.max)

    return rescale


QUANTIZE = Registration(BuiltinOperator.QUANTIZE, prepare_quantize, evaluate_unary, unary_stacks)
DEQUANTIZE = Registration(
    BuiltinOperator.DEQUANTIZE, prepare_dequantize, evaluate_unary, unary_stacks
)
