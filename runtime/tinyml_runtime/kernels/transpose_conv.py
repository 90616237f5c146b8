"""TRANSPOSE_CONV: every input element adds its weights, times itself, to a window of the output.

Shapes    output shape (any), weights [filters, rows, columns, channels], image [batch, height,
          width, channels], bias [filters] -> [batch, output height, output width, filters]
Types     float32; int8 with int8 weights and int32 bias; int16 with int8 weights and int16 or
          int64 bias
Units     real = scale * (stored - zero point); weights may have a scale per filter
Source    tflite-micro `micro/kernels/transpose_conv.cc`,
          `lite/kernels/internal/reference/transpose_conv.h` and `integer_ops/transpose_conv.h`

TFLM takes the output's size from the output tensor and never reads the first input. BLAS gives the
products of all elements with all weights. As many neighbouring taps as the stride is long go to
different output elements, so they are added in one step, a phase each. float32 sums have another
order than TFLM's, whose difference grows with the number of summands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.fused_activation import (
    bind_bias_and_clamp,
    float_range,
    quantized_range,
)
from tinyml_runtime.kernels.quantized_layer import (
    HYBRID,
    HYBRID_REMEDY,
    LayerScaling,
    QuantizedLayer,
    channel_factors,
    check_operand_types,
    check_weight_scales,
    when_first_used,
)
from tinyml_runtime.model.options import TransposeConvOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
)
from tinyml_runtime.requantize import OutputRange, Requantizer, accumulator_dtype
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, BuiltinOperator, Padding, TensorType

OUTPUT_SHAPE, WEIGHTS, INPUT, BIAS = 0, 1, 2, 3
OUTPUT = 0

# Products are made in blocks of about this many elements, so that a block stays in cache.
_BLOCK_ELEMENTS = 2**18
_LARGEST_REACH = 2**27


@dataclass(frozen=True, slots=True)
class Spread:
    """One direction: the first `inputs` elements, `stride` apart, spread over `taps` outputs each.

    The output is the `outputs` elements after the first `before` of the `phases * stride` reached.
    """

    inputs: int
    taps: int
    stride: int
    before: int
    outputs: int
    phases: int

    def blocks(self) -> Iterator[tuple[int, slice]]:
        """Groups of taps that go to different outputs: the steps they are shifted by, the taps."""
        for step, first in enumerate(range(0, self.taps, self.stride)):
            yield step, slice(first, min(first + self.stride, self.taps))


@dataclass(frozen=True, slots=True)
class TransposeConvData:
    """What `prepare` settles; `layer` and `matrix` are None where their operands may change."""

    rows: Spread
    columns: Spread
    filters: int
    has_bias: bool
    clamp: tuple[float, float] | None
    scaling: LayerScaling | None
    layer: Callable[[], QuantizedLayer] | None
    matrix: Array | None

    @property
    def stacks(self) -> bool:
        """Whether weights and bias are the same for all samples."""
        return self.layer is not None or self.matrix is not None


def prepare(context: PrepareContext, node: Node) -> TransposeConvData:
    """Check the operands; lay out the spreading, the weights and the scales."""
    options = node.options_as(TransposeConvOptions)
    check(len(node.inputs) in (3, 4), f"there are {len(node.inputs)} inputs, not 3 or 4")
    weights = context.input(node, WEIGHTS)
    source = context.input(node, INPUT)
    bias = context.optional_input(node, BIAS)
    output = context.output(node, OUTPUT)
    _check_operands(source, weights, bias, output)
    strides = options.stride_h, options.stride_w
    rows, columns = (
        _spread(source.shape[i], weights.shape[i], strides[i - 1], output.shape[i], options.padding)
        for i in (1, 2)
    )
    filters = weights.shape[0]
    reach = source.shape[0] * rows.phases * rows.stride * columns.phases * columns.stride * filters
    check(reach <= _LARGEST_REACH, f"its accumulators are more than {_LARGEST_REACH}")
    fixed = weights.is_constant and (bias is None or bias.is_constant)
    clamp, scaling, layer, matrix = None, None, None, None
    if source.type is TensorType.FLOAT32:
        clamp = float_range(options.fused_activation)
        matrix = _by_channel(weights.values, np.dtype(np.float32)) if fixed else None
    else:
        scaling = _scaling(source, weights, output, options.fused_activation)
        values = None if bias is None else bias.values
        if fixed:
            layer = when_first_used(_layer, weights.values, values, scaling, rows, columns)
    return TransposeConvData(
        rows, columns, filters, bias is not None, clamp, scaling, layer, matrix
    )


def bind(context: EvalContext, node: Node, data: TransposeConvData) -> Callable[[], None]:
    """Multiply all elements by all weights, add up, add the bias, rescale or clamp, store."""
    source = context.input(node, INPUT).values
    output = context.output(node, OUTPUT).values
    weights = context.input(node, WEIGHTS).values
    bias = context.input(node, BIAS).values if data.has_bias else None
    scaling = data.scaling
    if scaling is None:
        if data.matrix is not None:
            return _bind_floats(source, data.matrix, bias, output, data)
        return lambda: _bind_floats(
            source, _by_channel(weights, source.dtype), bias, output, data
        )()
    zero_point = scaling.input_zero_point
    if data.layer is not None:
        return _bind_integers(source, zero_point, data.layer(), output, data)

    def make_and_run() -> None:
        layer = _layer(weights, bias, scaling, data.rows, data.columns)
        _bind_integers(source, zero_point, layer, output, data)()

    return make_and_run


def _bind_integers(
    source: Array, zero_point: int, layer: QuantizedLayer, output: Array, data: TransposeConvData
) -> Callable[[], None]:
    centred = np.empty(source.shape, layer.weights.dtype)
    add_up = _bind_sums(centred, layer.weights, data)
    requantize = layer.requantizer.bind(output)
    offset = np.array(-zero_point, centred.dtype)

    def run() -> None:
        centred[...] = source
        if zero_point:
            np.add(centred, offset, centred)
        requantize(add_up())

    return run


def _bind_floats(
    source: Array, matrix: Array, bias: Array | None, output: Array, data: TransposeConvData
) -> Callable[[], None]:
    add_up = _bind_sums(source, matrix, data)
    finish = bind_bias_and_clamp(output, bias, data.clamp)

    def run() -> None:
        output[...] = add_up()
        finish()

    return run


def _bind_sums(source: Array, matrix: Array, data: TransposeConvData) -> Callable[[], Array]:
    """Sums of products over the output, [batch, output height, output width, filters].

    They are in a buffer that the next call overwrites.
    """
    rows, columns, filters = data.rows, data.columns, data.filters
    batch, _, _, channels = source.shape
    reached = np.zeros(
        (batch, rows.phases, rows.stride, columns.phases, columns.stride, filters), matrix.dtype
    )
    per_line = columns.inputs * matrix.shape[1]
    lines = min(rows.inputs, max(1, _BLOCK_ELEMENTS // per_line))
    images = max(1, _BLOCK_ELEMENTS // (per_line * lines))
    used = source[:, : rows.inputs, : columns.inputs]
    steps: list[tuple[Array, Array, list[tuple[Array, Array]]]] = []
    room = np.empty((min(images, batch) * lines * columns.inputs, matrix.shape[1]), matrix.dtype)
    for image in range(0, batch, images):
        for line in range(0, rows.inputs, lines):
            part = used[image : image + images, line : line + lines]
            products = room[: part.size // channels]
            target = reached[image : image + images, line:]
            steps.append((part, products, _additions(part, products, target, data)))
    image_shape = batch, rows.phases * rows.stride, columns.phases * columns.stride, filters
    sums = reached.reshape(image_shape)[
        :,
        rows.before : rows.before + rows.outputs,
        columns.before : columns.before + columns.outputs,
    ]

    def add_up() -> Array:
        reached.fill(0)
        for part, products, additions in steps:
            part.reshape(-1, channels).dot(matrix, products)
            for target, block in additions:
                np.add(target, block, target)
        return sums

    return add_up


def _additions(
    part: Array, products: Array, reached: Array, data: TransposeConvData
) -> list[tuple[Array, Array]]:
    """Where in `reached`, which begins at the first line of the part, its products are added."""
    images, lines, width, _ = part.shape
    rows, columns = data.rows, data.columns
    taps = products.reshape(images, lines, width, rows.taps, columns.taps, data.filters)
    additions: list[tuple[Array, Array]] = []
    for down, row_taps in rows.blocks():
        for right, column_taps in columns.blocks():
            block = taps[:, :, :, row_taps, column_taps].transpose(0, 1, 3, 2, 4, 5)
            target = reached[
                :,
                down : down + lines,
                : block.shape[2],
                right : right + width,
                : block.shape[4],
            ]
            # NumPy takes longer over axes of one element.
            additions.append((target.squeeze(), block.squeeze()))
    return additions


def _spread(size: int, taps: int, stride: int, outputs: int, padding: Padding) -> Spread:
    """How `size` elements reach `outputs`; NodeError for a stride that reaches nothing."""
    check(stride > 0, "a stride is not positive")
    before = 0
    if padding is Padding.SAME:
        windows = (outputs + stride - 1) // stride
        before = max(0, (windows - 1) * stride + taps - outputs) // 2
    end = before + outputs
    inputs = min(size, (end - 1) // stride + 1)
    if inputs == 1:
        stride = min(stride, taps)  # the gap to a second element is never used
    steps = (taps + stride - 1) // stride
    phases = max(inputs + steps - 1, (end + stride - 1) // stride)
    return Spread(inputs, taps, stride, before, outputs, phases)


def _scaling(
    source: Tensor, weights: Tensor, output: Tensor, activation: Activation
) -> LayerScaling:
    check_weight_scales(weights, weights.shape[0], axis=0)
    quantization = weights.quantization
    check(
        len(quantization.scales) == len(quantization.zero_points),
        "the weights have not one zero point for every scale",
    )
    factors = channel_factors(source, weights, output, weights.shape[0])
    limits = quantized_range(activation, output)
    is_int8 = source.type is TensorType.INT8
    # TFLM's int16 transposed convolution has no zero points.
    zero_point = source.zero_point if is_int8 else 0
    stored = np.iinfo(source.dtype)
    return LayerScaling(
        input_zero_point=zero_point,
        input_limit=max(abs(int(stored.min) - zero_point), abs(int(stored.max) - zero_point)),
        real_factors=factors,
        output=OutputRange(output.zero_point if is_int8 else 0, *limits, 8 if is_int8 else 16),
        wide=not is_int8,
    )


def _layer(
    weights: Array, bias: Array | None, scaling: LayerScaling, rows: Spread, columns: Spread
) -> QuantizedLayer:
    """Weights and constants; no output gets more than one block's worth of every phase's taps."""
    magnitudes = np.abs(weights.astype(np.int64)).sum(axis=3)
    filters = weights.shape[0]
    sums = np.zeros((filters, rows.stride, columns.stride), np.int64)
    for _, row_taps in rows.blocks():
        for _, column_taps in columns.blocks():
            block = magnitudes[:, row_taps, column_taps]
            sums[:, : block.shape[1], : block.shape[2]] += block
    bounds = sums.max(axis=(1, 2)) * scaling.input_limit
    requantizer = Requantizer(
        scaling.factors,
        scaling.output,
        channels=filters,
        rows=rows.outputs * columns.outputs,
        bounds=bounds,
        bias=bias,
        wide=scaling.wide,
    )
    dtype = accumulator_dtype(int(bounds.max()))
    return QuantizedLayer(_by_channel(weights, dtype), requantizer)


def _by_channel(weights: Array, dtype: np.dtype[np.floating]) -> Array:
    """The weights as a matrix [channels, rows * columns * filters]."""
    return np.ascontiguousarray(weights.transpose(3, 1, 2, 0).reshape(weights.shape[3], -1), dtype)


def _check_operands(source: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> None:
    for role, tensor in (("the input", source), ("weights", weights), ("the output", output)):
        check(len(tensor.shape) == 4, f"{role} has {len(tensor.shape)} dimensions, not 4")
        check(min(tensor.shape) > 0, f"{role} has no elements")
    check_operand_types(source, weights, output)
    check(weights.type is not TensorType.INT4, HYBRID, HYBRID_REMEDY)
    filters, _, _, channels = weights.shape
    check(source.shape[3] == channels, f"{source.shape[3]} channels, weights for {channels}")
    check(output.shape[3] == filters, f"output 0 has {output.shape[3]} channels, not {filters}")
    check(output.shape[0] == source.shape[0], "input and output have different batches")
    if bias is not None:
        allowed = {
            TensorType.FLOAT32: (TensorType.FLOAT32,),
            TensorType.INT8: (TensorType.INT32,),
            TensorType.INT16: (TensorType.INT16, TensorType.INT64),
        }[source.type]
        check(bias.type in allowed, f"Bias type {bias.type.name} not supported.")
        check(bias.size == filters, f"the bias has {bias.size} values, there are {filters} filters")


def stacks(data: TransposeConvData) -> bool:
    """Samples are along the batch of the image; weights and bias must not be stacked."""
    return data.stacks


TRANSPOSE_CONV = Registration(
    BuiltinOperator.TRANSPOSE_CONV, prepare, BindingEvaluate(bind), stacks=stacks
)
