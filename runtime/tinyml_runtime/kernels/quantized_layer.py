"""Weights, bias and scales of a quantized layer, laid out for exact products through BLAS.

Convolutions and fully connected layers all compute, per output channel, sum(weight * (input -
input zero point)) + bias, and rescale it. Here the input's zero point is folded into the bias, and
the weights become floats: a product and sum of integers is exact in float32 while it stays below
2**24, else in float64.

Source: tflite-micro `lite/kernels/kernel_util.cc`, PopulateConvolutionQuantizationParams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import ParamSpec, TypeVar

import numpy as np

from tinyml_runtime.errors import NodeError
from tinyml_runtime.fixed_point import FixedPoint, quantize_multiplier
from tinyml_runtime.registration import check
from tinyml_runtime.requantize import OutputRange, Requantizer, accumulator_dtype
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

HYBRID = "Hybrid models are not supported on TFLite Micro."
HYBRID_REMEDY = "convert the model with full integer quantization, or leave it in float32"

# Accumulators become float64 in the end; up to so many products that costs more than to start so.
_FEW_PRODUCTS = 4096

_WEIGHT_TYPES = {
    TensorType.FLOAT32: (TensorType.FLOAT32,),
    TensorType.INT8: (TensorType.INT8, TensorType.INT4),
    TensorType.INT16: (TensorType.INT8,),
}


LaidOut = TypeVar("LaidOut")
Given = ParamSpec("Given")


def when_first_used(
    lay_out: Callable[Given, LaidOut], *args: Given.args, **kwargs: Given.kwargs
) -> Callable[[], LaidOut]:
    """`lay_out(*args)`, computed at the first call and kept.

    Laying out weights takes most of the time of `prepare`, and a model that is only planned is
    never run.
    """
    return cache(partial(lay_out, *args, **kwargs))


@dataclass(frozen=True, slots=True)
class LayerScaling:
    """How accumulators of a layer become outputs: everything but the weights themselves."""

    input_zero_point: int
    input_limit: int
    real_factors: tuple[float, ...]
    output: OutputRange
    wide: bool

    @property
    def factors(self) -> tuple[FixedPoint, ...]:
        """The factors by which accumulators are multiplied, in fixed point."""
        return tuple(quantize_multiplier(factor) for factor in self.real_factors)


@dataclass(frozen=True, slots=True)
class QuantizedLayer:
    """`weights` [channels, depth] as exact floats, and what turns products into outputs."""

    weights: Array
    requantizer: Requantizer


def quantized_layer(
    weights: Array, bias: Array | None, scaling: LayerScaling, rows: int
) -> QuantizedLayer:
    """Lay out integer weights [channels, depth] and a bias [channels] or None.

    `rows` is the number of positions in one sample at which the weights are applied.
    """
    channels, _ = weights.shape
    wide = weights.astype(np.int64)
    bounds = np.abs(wide).sum(axis=1) * scaling.input_limit
    folded = -scaling.input_zero_point * wide.sum(axis=1)
    if bias is not None:
        folded = folded + bias.reshape(-1).astype(np.int64)
    dtype = accumulator_dtype(int(bounds.max(initial=0)))
    if weights.size * rows <= _FEW_PRODUCTS:
        dtype = np.dtype(np.float64)
    requantizer = Requantizer(
        scaling.factors,
        scaling.output,
        channels=channels,
        rows=rows,
        bounds=bounds,
        bias=folded,
        wide=scaling.wide,
    )
    return QuantizedLayer(np.ascontiguousarray(weights, dtype), requantizer)


def input_limit(tensor: Tensor) -> int:
    """The largest magnitude of a stored value of an integer tensor."""
    return -int(np.iinfo(tensor.dtype).min)


def channel_factors(
    source: Tensor, weights: Tensor, output: Tensor, channels: int
) -> tuple[float, ...]:
    """The factor of every output channel, or the single one of them all. NodeError if undefined."""
    check(source.is_quantized, "the input has no scale")
    check(weights.is_quantized, "the weights have no scale")
    check(output.scale > 0.0, "the output has no positive scale")
    scales = weights.quantization.scales
    check(
        len(scales) in (1, channels), f"there are {len(scales)} weight scales, {channels} channels"
    )
    factors = tuple(source.scale * scale / output.scale for scale in scales)
    check(min(factors) >= 0.0 and max(factors) < float("inf"), "a scale is negative")
    return factors


def accumulates_wide(source: Tensor, bias: Tensor | None, bias_type: TensorType) -> bool:
    """Whether TFLM accumulates in 64 bits: int16 inputs, unless the bias says 32."""
    if source.type is not TensorType.INT16:
        return False
    return (bias_type if bias is None else bias.type) is not TensorType.INT32


def check_operand_types(source: Tensor, weights: Tensor, output: Tensor) -> None:
    """NodeError unless input, weights and output have types that go together."""
    check(source.type is output.type, f"input is {source.type.name}, output {output.type.name}")
    if weights.type not in _WEIGHT_TYPES.get(source.type, ()):
        if source.type in _WEIGHT_TYPES:
            raise NodeError(HYBRID, HYBRID_REMEDY)
        raise NodeError(f"Type {source.type.name} ({int(source.type)}) not supported.")


def check_weight_scales(weights: Tensor, channels: int, axis: int) -> None:
    """NodeError unless scales per channel, if that is what they are, run along `axis`."""
    quantization = weights.quantization
    if len(quantization.scales) > 1:
        dimension = quantization.dimension
        check(
            0 <= dimension < len(weights.shape) and weights.shape[dimension] == channels,
            f"the weights have scales along dimension {dimension}, the channels are {axis}",
        )


def check_bias(source: Tensor, bias: Tensor | None, channels: int) -> None:
    """NodeError unless the bias has a type that goes with the input, and one value a channel."""
    if bias is None:
        return
    allowed = {
        TensorType.FLOAT32: (TensorType.FLOAT32,),
        TensorType.INT8: (TensorType.INT32,),
        TensorType.INT16: (TensorType.INT32, TensorType.INT64),
    }[source.type]
    check(bias.type in allowed, f"Bias type {bias.type.name} not supported.")
    check(bias.size == channels, f"the bias has {bias.size} values, there are {channels} channels")
