"""SVDF: filters over features and time, as a rank decomposition of a dense layer with memory.

Shapes    input [batch, features], feature weights [filters, features], time weights [filters,
          memory], bias [units], state [batch, filters * memory] -> [batch, units], where filters
          are units * rank
Types     float32; int8 with int8 feature weights, int32 bias, and both time weights and state int8
          or int16
Units     real = scale * (stored - zero point); weights have no zero point
Source    tflite-micro `micro/kernels/svdf_common.cc`, `svdf.cc`

Every invocation drops each filter's oldest activation from the state, a variable, and appends
the newest. As in TFLM, an activation fused into an integer SVDF has no effect, and there has to be
a bias, though the format says that it is optional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint, quantize_multiplier
from tinyml_runtime.kernels.rescaled_product import RescaledProduct
from tinyml_runtime.kernels.rescaling import Rescaling
from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

INPUT, FEATURE_WEIGHTS, TIME_WEIGHTS, BIAS, STATE = 0, 1, 2, 3, 4
OUTPUT = 0

_ACTIVATIONS: dict[Activation, Callable[[Array], Array]] = {
    Activation.RELU: lambda x: np.maximum(x, 0.0),
    Activation.RELU_N1_TO_1: lambda x: np.clip(x, -1.0, 1.0),
    Activation.RELU6: lambda x: np.clip(x, 0.0, 6.0),
    Activation.TANH: np.tanh,
    Activation.SIGN_BIT: np.signbit,
}


@dataclass(frozen=True, slots=True)
class SvdfScaling:
    """How sums over features become activations, and sums over time outputs."""

    input_zero_point: int
    state_zero_point: int
    state_type: np.dtype[Any]
    feature_factor: FixedPoint
    output_factor: FixedPoint
    output_zero_point: int


@dataclass(frozen=True, slots=True)
class SvdfLayers:
    """Both stages: activations from features; outputs from time weights, biases and a rescaling.

    `time` [filters, memory] and `biases` [1, units] are float64.
    """

    activations: RescaledProduct
    time: Array
    biases: Array
    to_output: Rescaling


@dataclass(frozen=True, slots=True)
class SvdfData:
    """What `prepare` settles; `layers` is None where weights or bias may change."""

    filters: int
    memory: int
    units: int
    activation: Activation
    scaling: SvdfScaling | None
    layers: SvdfLayers | None


def prepare(context: PrepareContext, node: Node) -> SvdfData:
    """Check the operands; lay out the weights and fold their scales."""
    options = node.options_as(SVDFOptions)
    check(len(node.inputs) == 5, f"there are {len(node.inputs)} inputs, not 5")
    check(len(node.outputs) == 1, f"there are {len(node.outputs)} outputs, not 1")
    source = context.input(node, INPUT)
    features = context.input(node, FEATURE_WEIGHTS)
    time = context.input(node, TIME_WEIGHTS)
    bias = context.input(node, BIAS)
    state = context.input(node, STATE)
    output = context.output(node, OUTPUT)
    filters, memory, units = _check_shapes(source, features, time, state, output, options.rank)
    check(state.is_variable, "the state is no variable tensor")
    check_shape(bias, "the bias", (units,))
    _check_types(source, features, time, bias, state, output)
    scaling, layers = None, None
    if source.type is TensorType.INT8:
        scaling = _scaling(source, features, time, bias, state, output)
        if features.is_constant and time.is_constant and bias.is_constant:
            layers = _layers(features.values, time.values, bias.values, scaling)
    return SvdfData(filters, memory, units, options.fused_activation, scaling, layers)


def bind(context: EvalContext, node: Node, data: SvdfData) -> Callable[[], None]:
    """Shift the state, append the features of this input, sum over time and rank, store."""
    source = context.input(node, INPUT).values
    features = context.input(node, FEATURE_WEIGHTS).values
    time = context.input(node, TIME_WEIGHTS).values
    bias = context.input(node, BIAS).values
    output = context.output(node, OUTPUT).values
    state = context.input(node, STATE).values.reshape(len(source), data.filters, data.memory)
    scaling = data.scaling
    if scaling is None:
        return _bind_floats(source, features, time, bias, state, output, data)
    if data.layers is not None:
        return _bind_integers(source, data.layers, scaling.state_zero_point, state, output)
    return lambda: _bind_integers(
        source, _layers(features, time, bias, scaling), scaling.state_zero_point, state, output
    )()


def _bind_floats(
    source: Array,
    features: Array,
    time: Array,
    bias: Array,
    state: Array,
    output: Array,
    data: SvdfData,
) -> Callable[[], None]:
    older, newer, newest = _moments(state)
    activate = _ACTIVATIONS.get(data.activation)
    add_up = _bind_time(state, time, output)
    bias = bias[np.newaxis]

    def run() -> None:
        older[:] = newer
        newest[...] = source.dot(features.T)
        add_up()
        np.add(output, bias, output)
        if activate is not None:
            output[...] = activate(output)

    return run


def _bind_integers(
    source: Array, layers: SvdfLayers, state_zero_point: int, state: Array, output: Array
) -> Callable[[], None]:
    older, newer, newest = _moments(state)
    latest = np.empty(newest.shape, state.dtype)
    inputs, activate = layers.activations.bind(
        np.empty(newest.shape), latest, added_late=state_zero_point
    )
    sums = np.empty(output.shape)
    add_up = _bind_time(state, layers.time, sums)
    to_output = layers.to_output.bind(sums, output, biases=layers.biases)

    def run() -> None:
        older[:] = newer
        inputs[...] = source
        activate()
        newest[...] = latest
        add_up()
        to_output()

    return run


def _moments(state: Array) -> tuple[memoryview, memoryview, Array]:
    """The bytes of the state without its end, and without its start; the newest activations.

    All are views. Moving the former over the latter drops every filter's oldest activation. Its
    newest one, which then is the oldest of the next filter, comes later.
    """
    moved = state.reshape(-1).data.cast("B")
    return moved[: -state.itemsize], moved[state.itemsize :], state[..., -1]


def _bind_time(state: Array, time: Array, sums: Array) -> Callable[[], None]:
    """What adds up the products with the time weights into `sums`, shape [batch, units]."""
    products = np.zeros(state.shape, time.dtype)
    # A product with ones takes a fifth of the time of a sum, and far longer for three dimensions.
    by_unit, flat_sums = products.reshape(sums.size, -1), sums.reshape(-1)
    ones = np.ones(by_unit.shape[-1], time.dtype)
    # Flat operands take the least time, those that are broadcast twice as much.
    time = np.broadcast_to(time, state.shape).reshape(-1)
    flat_state, flat_products = state.reshape(-1), products.reshape(-1)

    def add_up() -> None:
        flat_products[...] = flat_state
        np.multiply(flat_products, time, flat_products)
        by_unit.dot(ones, flat_sums)

    return add_up


def _layers(features: Array, time: Array, bias: Array, scaling: SvdfScaling) -> SvdfLayers:
    """Weights and constants of an integer SVDF; zero points of the operands go into the biases."""
    limits = np.iinfo(scaling.state_type)
    lowest, highest = int(limits.min), int(limits.max)
    activations = RescaledProduct(
        features.astype(np.int64),
        np.zeros(len(features), np.int64),
        scaling.input_zero_point,
        [scaling.feature_factor],
        (lowest, highest),
        largest=128,
    )
    by_unit = time.astype(np.int64).reshape(bias.size, -1)
    biases = bias - scaling.state_zero_point * by_unit.sum(axis=1)
    to_output = Rescaling(
        [scaling.output_factor],
        biases.size,
        (-128, 127),
        bounds=np.abs(by_unit).sum(axis=1) * -lowest + np.abs(biases),
        zero_point=scaling.output_zero_point,
    )
    return SvdfLayers(
        activations, time.astype(np.float64), biases.astype(np.float64)[np.newaxis], to_output
    )


def _scaling(
    source: Tensor, features: Tensor, time: Tensor, bias: Tensor, state: Tensor, output: Tensor
) -> SvdfScaling:
    """The two factors, computed in float32 as TFLM does; NodeError if they are undefined."""
    check(state.scale > 0.0 and output.scale > 0.0, "state or output has no positive scale")
    scale, time_scale = np.float32(state.scale), np.float32(time.scale)
    with np.errstate(all="ignore"):
        feature_factor = np.float32(source.scale) * np.float32(features.scale) / scale
        bias_scale = scale * time_scale
        output_factor = bias_scale / np.float32(output.scale)
    for factor in (feature_factor, output_factor):
        check(bool(0.0 <= factor < np.inf), "the scales make no positive factor")
    check(
        abs(bias.scale - float(bias_scale)) < 1e-5,
        "the scale of the bias is not that of state times time weights",
    )
    return SvdfScaling(
        source.zero_point,
        state.zero_point,
        state.dtype,
        quantize_multiplier(float(feature_factor)),
        quantize_multiplier(float(output_factor)),
        output.zero_point,
    )


def _check_shapes(
    source: Tensor, features: Tensor, time: Tensor, state: Tensor, output: Tensor, rank: int
) -> tuple[int, int, int]:
    """Filters, memory and units; NodeError unless all shapes go together."""
    for role, tensor in (("input", source), ("feature weights", features), ("time weights", time)):
        check(len(tensor.shape) == 2, f"the {role}: {len(tensor.shape)} dimensions, not 2")
        check(min(tensor.shape) > 0, f"the {role} have no elements")
    filters, memory = features.shape[0], time.shape[1]
    check(rank > 0 and filters % rank == 0, f"{filters} filters are no multiple of rank {rank}")
    batch = source.shape[0]
    check_shape(output, "output 0", (batch, filters // rank))
    check_shape(features, "feature weights", (filters, source.shape[1]))
    check_shape(time, "time weights", (filters, memory))
    check_shape(state, "the state", (batch, memory * filters))
    return filters, memory, filters // rank


def _check_types(
    source: Tensor,
    features: Tensor,
    time: Tensor,
    bias: Tensor,
    state: Tensor,
    output: Tensor,
) -> None:
    check_type(source, "the input", TensorType.FLOAT32, TensorType.INT8)
    check_type(features, "feature weights", source.type)
    check_type(output, "the output", source.type)
    is_float = source.type is TensorType.FLOAT32
    if is_float:
        check_type(time, "time weights", TensorType.FLOAT32)
    else:
        check_type(time, "time weights", TensorType.INT8, TensorType.INT16)
    check_type(state, "the state", time.type)
    check_type(bias, "the bias", TensorType.FLOAT32 if is_float else TensorType.INT32)


SVDF = Registration(BuiltinOperator.SVDF, prepare, BindingEvaluate(bind))
