"""What TFLM refuses for another reason than the types: options, quantization, shapes, operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tests.conformance.cases import Case
from tests.runtime.kernels.test_activations import unary as activation
from tests.runtime.kernels.test_add_n import add_n
from tests.runtime.kernels.test_arg_min_max import arg
from tests.runtime.kernels.test_arithmetic import binary
from tests.runtime.kernels.test_batch_matmul import matmul
from tests.runtime.kernels.test_broadcast_to import broadcast
from tests.runtime.kernels.test_comparisons import comparison
from tests.runtime.kernels.test_concatenation import concatenation, split
from tests.runtime.kernels.test_cumsum import cumsum
from tests.runtime.kernels.test_detection_postprocess import detection
from tests.runtime.kernels.test_division import division
from tests.runtime.kernels.test_dynamic_update_slice import update
from tests.runtime.kernels.test_elementwise import unary
from tests.runtime.kernels.test_elu import elu
from tests.runtime.kernels.test_fill import fill
from tests.runtime.kernels.test_gather import gather, gather_nd, lookup
from tests.runtime.kernels.test_hard_swish import hard_swish
from tests.runtime.kernels.test_l2_normalization import normalization
from tests.runtime.kernels.test_l2_pool import pool as l2_pool
from tests.runtime.kernels.test_log_softmax import log_softmax
from tests.runtime.kernels.test_logistic import curve
from tests.runtime.kernels.test_lstm import lstm
from tests.runtime.kernels.test_mirror_pad import mirror
from tests.runtime.kernels.test_pad import pad
from tests.runtime.kernels.test_pooling import pool
from tests.runtime.kernels.test_prelu import prelu
from tests.runtime.kernels.test_quantize import FLOAT, dequantize, quantize
from tests.runtime.kernels.test_reductions import reduction
from tests.runtime.kernels.test_resize import resize
from tests.runtime.kernels.test_reverse import reverse
from tests.runtime.kernels.test_select import select
from tests.runtime.kernels.test_shape import shape
from tests.runtime.kernels.test_shapes import expand_dims, int32, reshape, squeeze, transpose
from tests.runtime.kernels.test_slicing import slicing, strided
from tests.runtime.kernels.test_softmax import softmax
from tests.runtime.kernels.test_space_to_batch import to_batch
from tests.runtime.kernels.test_space_to_depth import to_depth
from tests.runtime.kernels.test_space_to_depth import to_space as depth_to_space
from tests.runtime.kernels.test_squared_difference import squared_difference
from tests.runtime.kernels.test_svdf import svdf
from tests.runtime.kernels.test_transpose_conv import transpose_conv
from tests.support.layers import conv, dense, depthwise
from tests.support.single_op import SingleOp, constant, fed
from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.types import Activation, Padding, TensorType
from tinyml_runtime.types import BuiltinOperator as Op

I8, I16, I32, I64, F32 = np.int8, np.int16, np.int32, np.int64, np.float32
RELU, RELU6 = Activation.RELU, Activation.RELU6
VALID = Padding.VALID


def _more(source: SingleOp) -> SingleOp:
    """With the last input once more."""
    return replace(source, inputs=[*source.inputs, source.inputs[-1]])


def _less(source: SingleOp) -> SingleOp:
    """Without the last input."""
    return replace(source, inputs=source.inputs[:-1])


def _moving(source: SingleOp, position: int) -> SingleOp:
    """With an input that is fed where TFLM needs a constant."""
    inputs = list(source.inputs)
    operand = inputs[position]
    assert operand is not None
    inputs[position] = replace(operand, values=None)
    return replace(source, inputs=inputs)


def _with_int4_weights() -> SingleOp:
    source = transpose_conv()
    weights = constant(np.ones((5, 3, 3, 3), I8), 0.01, kind=TensorType.INT4)
    return replace(source, inputs=[source.inputs[0], weights, *source.inputs[2:]])


QUANTIZATION: Mapping[str, SingleOp] = {
    "int32 with scales": binary(Op.ADD, I32),
    "int32 with scales, SUB": binary(Op.SUB, I32),
    "int16 with zero points": binary(Op.MUL, I16),
    "no output scale": binary(Op.ADD, I8, (0.1, 0.1, None)),
    "a clamp that 32 bits do not hold": binary(Op.MUL, I8, (0.1, 0.1, 1e-45), activation=RELU6),
    "two scales": SingleOp(
        Op.ADD_N, [fed((3,), I8, 0.5), fed((3,), I8, 0.25)], [fed((3,), I8, 0.5)]
    ),
    "an int16 input with a zero point": activation(Op.RELU, I16, zero_points=(1, 0)),
    "an int16 output with a zero point": activation(Op.RELU, I16, zero_points=(0, 1)),
    "int8 without scales": unary(Op.ABS),
    "int16 without an output scale": unary(Op.ABS, I16, (0.1, None)),
    "int16 with a zero point": unary(Op.ABS, I16, (0.1, 0.1), (0, 1)),
    "an int16 input with a zero point, LOGISTIC": curve(Op.LOGISTIC, I16, 0.1, 1),
    "an int16 input with a zero point, TANH": curve(Op.TANH, I16, 0.1, 1),
    "an output that is far too fine": hard_swish(scales=(1.0, 0.001)),
    "a negative scale": matmul(scales=((-0.1, 0), (0.1, 0), (0.1, 0))),
    "int32 with scales, DIV": replace(
        division(), inputs=[fed((3, 40), I32, 0.1)] * 2, outputs=[fed((3, 40), I32, 0.1)]
    ),
    "int16 with a zero point, SQUARED_DIFFERENCE": squared_difference(I16, zero_points=(1, 0, 0)),
    "a zero point beyond int8": squared_difference(zero_points=(0, 128, 0)),
    "another output scale": log_softmax(output=(1 / 32, 127)),
    "another output zero point": log_softmax(output=(1 / 16, 0)),
    "no output scale, QUANTIZE": quantize(FLOAT, (I8, None, 0)),
    "a zero point beyond int8, PAD": pad(zero_point=128),
    "an output scale of 0": dense(out_scale=0.0),
    "an int16 input with a zero point, SOFTMAX": softmax("int16", zero_point=1),
    "int8 of another scale": SingleOp(
        Op.CONCATENATION, [fed((2,), I8, 0.5)], [fed((2,), I8, 0.25)]
    ),
    "another output scale, REDUCE_MIN": replace(
        reduction(Op.REDUCE_MIN), outputs=[fed((2, 7), I8, 0.25)]
    ),
    "another output scale, MAX_POOL_2D": replace(
        pool(Op.MAX_POOL_2D), outputs=[fed((1, 5, 4, 3), I8, 0.07)]
    ),
    "another output scale, AVERAGE_POOL_2D": replace(
        pool(Op.AVERAGE_POOL_2D), outputs=[fed((1, 5, 4, 3), I8, 0.07)]
    ),
}
OPTIONS: Mapping[str, SingleOp] = {
    "an activation, CONCATENATION": concatenation(activation=RELU),
    "an activation, L2_NORMALIZATION": normalization(activation=RELU),
    "eleven inputs": concatenation(lengths=(1,) * 11),
    "corners and centers": resize(Op.RESIZE_BILINEAR, corners=True, centers=True),
    "no window": l2_pool(taps=(0, 1), after=(1, 1, 1, 1)),
    "no stride": l2_pool(strides=(0, 1), after=(1, 1, 1, 1)),
    "a window beyond the image": l2_pool(taps=(8, 1), padding=VALID, after=(1, 1, 1, 1)),
    "an axis behind the last, CUMSUM": cumsum(3),
    "an axis before the first, CUMSUM": cumsum(-4),
    "an axis behind the last, GATHER": gather((3,), (2,), (2,), 1),
    "other batches": gather((2, 3), (3, 1), (2, 1), 1, 1),
    "axes that are not neighbours": reverse((0, 2)),
    "an axis twice": reverse((1, 1)),
    "an axis behind the last, REVERSE_V2": reverse((4,)),
    "a dimension that is not 1": squeeze(dims=(1,)),
    "a dimension that is not there": squeeze(dims=(4,)),
    "an index out of range": SingleOp(
        Op.TRANSPOSE, [fed((2, 3), I8), int32([0, 2])], [fed((2, 3), I8)]
    ),
    "a stride of 0": strided(strides=(1, 0, 1)),
    "no block": to_depth(block=0),
    "a negative block": depth_to_space(block=-2),
    "half a block": to_depth((1, 3, 4, 1), 2, (1, 1, 2, 4)),
    "an overlap of 0": detection(nms_iou_threshold=0.0),
    "an overlap above 1": detection(nms_iou_threshold=1.5),
    "fewer detections than none": detection(max_detections=-1),
    "no classes for a detection": detection(max_classes_per_detection=0),
    "a text for a scale": detection(y_scale="one"),
}
SHAPES: Mapping[str, SingleOp] = {
    "no repetition": broadcast((2, 3), (2, 4)),
    "six dimensions, BROADCAST_TO": broadcast((1,), (1,) * 6),
    "seven dimensions, CONCATENATION": concatenation(others=(1,) * 6),
    "six dimensions, PAD": pad((1,) * 6, ((0, 0),) * 6),
    "another output shape, PAD": replace(pad(), outputs=[fed((1, 5, 4, 2), I8, 0.5, 3)]),
    "seven dimensions, REVERSE_V2": reverse((0,), (1,) * 7),
    "five dimensions, L2_NORMALIZATION": normalization(F32, (1, 1, 1, 1, 2)),
    "other depths": matmul((2, 3, 4)),
    "other batches, BATCH_MATMUL": matmul(right=(3, 5, 4)),
    "too many indices": gather_nd((3, 2), (4, 3), (4,)),
    "a table without columns": lookup(4, (4,)),
    "an update that is too long": update(box=(1, 2, 9)),
    "an update of another rank": update(box=(1, 2)),
    "shapes that do not broadcast": select(first=(2, 4), after=(2, 3)),
    "another size": reshape((2, 6), (3, 5), I8, int32([3, 5])),
    "an axis beyond the input": expand_dims(int32([2]), (2,), (2, 1)),
    "two axes, EXPAND_DIMS": expand_dims(int32([0, 1]), (2,), (1, 1, 2)),
    "six dimensions, TRANSPOSE": transpose((0, 1, 2, 3, 4, 5), (1,) * 6),
    "two dimensions, SPACE_TO_BATCH_ND": to_batch((2, 3), after=(2, 3)),
    "three dimensions, SPACE_TO_DEPTH": to_depth((4, 6, 3), 2, (2, 3, 12)),
    "five dimensions, STRIDED_SLICE": strided(
        (0,) * 5, (1,) * 5, (1,) * 5, (1,) * 5, shape=(1,) * 5
    ),
    "a size of two dimensions": resize(
        Op.RESIZE_NEAREST_NEIGHBOR, size=constant(np.array([[6, 8]], I32))
    ),
    "paddings of another rank": mirror((2, 4), ((1, 1),), (4, 4)),
    "a vector in a matrix product": matmul((5,), (5, 4), (4,)),
    "two axes, CUMSUM": replace(
        cumsum(), inputs=[cumsum().inputs[0], constant(np.array([0, 1], I32))]
    ),
    "a fill of a vector": SingleOp(
        Op.FILL, [constant(np.array([2], I32)), fed((1,), F32)], [fed((2,), F32)]
    ),
    "a rank that does not divide": replace(svdf(), options=SVDFOptions(3)),
}
OPERANDS: Mapping[str, SingleOp] = {
    "three inputs, MUL": _more(binary(Op.MUL)),
    **{
        f"two inputs, {operator.name}": _more(unary(operator, F32))
        for operator in (Op.SIN, Op.COS, Op.SQRT, Op.EXP)
    },
    "two inputs, ELU": _more(elu()),
    "two inputs, HARD_SWISH": _more(hard_swish()),
    "two inputs, LEAKY_RELU": _more(activation(Op.LEAKY_RELU)),
    "two inputs, DEQUANTIZE": _more(dequantize((I8, 0.1, 0))),
    "two inputs, SHAPE": _more(shape()),
    "one input, EQUAL": _less(comparison(Op.EQUAL)),
    "one input, LESS": _less(comparison(Op.LESS)),
    "two inputs, SELECT_V2": _less(select()),
    "two inputs, DYNAMIC_UPDATE_SLICE": _less(update()),
    "one input, BATCH_MATMUL": _less(matmul()),
    "one input, GATHER": _less(gather((3, 2), (4,), (4, 2))),
    "two inputs, SLICE": _less(slicing()),
    "23 inputs, UNIDIRECTIONAL_SEQUENCE_LSTM": _less(lstm()),
    "four inputs, SVDF": _less(svdf()),
    "two inputs, TRANSPOSE_CONV": _less(transpose_conv(bias=None)),
    **{
        f"one input, {operator.name}": _less(reduction(operator))
        for operator in (Op.SUM, Op.REDUCE_MAX, Op.REDUCE_MIN)
    },
    "one input, ADD_N": add_n(1),
    "a shape that is fed": _moving(broadcast(), 1),
    "paddings that are fed": _moving(pad(), 1),
    "axes that are fed": _moving(transpose((1, 0, 2)), 1),
    **{
        f"{name} that is fed": _moving(strided(), position)
        for position, name in enumerate(("a begin", "an end", "a stride"), start=1)
    },
    "an axis that is fed, SPLIT": _moving(split(), 0),
    "dims that are fed": _moving(fill(), 0),
    "a size that is fed": _moving(resize(Op.RESIZE_BILINEAR), 1),
    "float weights for int8": conv(weights="float32"),
    "int8 weights for float32": conv(kind="float32", bias="float32"),
    "int8 weights for float32, DEPTHWISE_CONV_2D": depthwise(kind="float32", bias="float32"),
    "int8 weights for float32, FULLY_CONNECTED": dense(kind="float32", bias="float32"),
    "int4 weights, TRANSPOSE_CONV": _with_int4_weights(),
    "slopes of int16": replace(
        prelu(I16), inputs=[fed((2, 3, 4, 5), I16, 0.05), fed((5,), I16, 0.01)]
    ),
    "an axis of 64 bits": replace(arg(), inputs=[arg().inputs[0], constant(np.array([1], I64))]),
}


def _cases(table: Mapping[str, SingleOp]) -> list[Case]:
    return [
        Case(each.operator if isinstance(each.operator, str) else each.operator.name, label, each)
        for label, each in table.items()
    ]


CASES = [
    *_cases(QUANTIZATION),
    *_cases(OPTIONS),
    *_cases(SHAPES),
    *_cases(OPERANDS),
]
