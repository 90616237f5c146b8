"""Compressed models: constants as indices into tables, and metadata that lies about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest

from tests.support.encodings import compressed, compression_metadata, pack
from tests.support.graphs import RESOURCE, Call, Graph, loaded, model_of, prepared
from tests.support.mutants import truncated, with_bytes_flipped, with_words_replaced
from tests.support.single_op import (
    SingleOp,
    assert_same,
    constant,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
    run_tflm,
)
from tinyml_runtime.errors import ModelError, UnsupportedModelError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.options import (
    AddOptions,
    ConcatenationOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    TransposeConvOptions,
    VarHandleOptions,
)
from tinyml_runtime.model.schema import Buffer, Metadata, Model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.types import Padding, TensorType

WIDTHS = range(1, 8)


def _few(shape: Sequence[int], different: int, kind: str = "int8") -> Array:
    """Values of which only so many are different."""
    generator = np.random.default_rng(different)
    values: Array = (generator.standard_normal(different) * 60).astype(kind)
    return values[generator.integers(0, different, tuple(shape))]


def adding(values: Array, scales: Sequence[float] = (), axis: int = 0) -> Model:
    """A constant that is added to the input."""
    fixed = constant(values, scales or None, 0, axis)
    like = fed(values.shape, values.dtype, scales[0] if scales else None)
    return SingleOp(Op.ADD, [like, fixed], [like], AddOptions()).model()


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("kind", ["float32", "int8", "int16", "int32", "int64", "bool"])
def test_a_compressed_constant_has_the_values_of_the_plain_one(kind: str, bits: int) -> None:
    values = _few((3, 5, 7), 2**bits, kind)
    model = loaded(compressed(adding(values), {1: bits}))
    np.testing.assert_array_equal(Interpreter(model).tensor(1).values, values)


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("axis", [0, 2])
def test_every_channel_has_its_own_table(bits: int, axis: int) -> None:
    shape = (4, 5, 3)
    values = np.stack([_few((5, 3), 2**bits) + channel for channel in range(4)])
    model = compressed(adding(values, (0.5,) * shape[axis], axis), {1: min(bits + 2, 7)})
    np.testing.assert_array_equal(Interpreter(model).tensor(1).values, values)


def test_indices_lie_from_the_high_bits_on() -> None:
    # As in the format's description: 3-bit fields 7, 0, 3, 2 are 111 000 011 010.
    model = compressed(adding(np.array([70, 0, 30, 20], np.int32)), {1: 3})
    table = np.arange(0, 80, 10, dtype=np.int32).tobytes()
    buffers = list(model.buffers)
    buffers[-3:-1] = [Buffer(bytes([0b11100001, 0b10100000])), Buffer(table)]
    interpreter = prepared(replace(model, buffers=tuple(buffers)))
    assert interpreter.tensor(1).values.tolist() == [70, 0, 30, 20]


def _layer_cases() -> dict[str, tuple[SingleOp, dict[int, int]]]:
    """Operators that take compressed constants in TFLM; tensors to compress, with their bits."""
    image, channels = fed((1, 6, 5, 3), np.int8, 0.5, 3), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    products = [0.5 * scale for scale in channels]
    bias = constant(_few((6,), 4, "int32"), products)
    picture = fed((1, 6, 5, 6), np.int8, 2.0, -5)
    rows, sums = fed((2, 8), np.int8, 0.5, 3), fed((2, 5), np.int8, 2.0, -5)
    return {
        "conv": (
            SingleOp(
                Op.CONV_2D,
                [image, constant(_few((6, 3, 3, 3), 10), channels), bias],
                [picture],
                Conv2DOptions(Padding.SAME, 1, 1),
            ),
            {1: 4, 2: 2},
        ),
        "depthwise": (
            SingleOp(
                Op.DEPTHWISE_CONV_2D,
                [image, constant(_few((1, 3, 3, 6), 40), channels, 0, 3), bias],
                [picture],
                DepthwiseConv2DOptions(Padding.SAME, 1, 1, 2),
            ),
            {1: 4, 2: 3},
        ),
        "transposed": (
            SingleOp(
                Op.TRANSPOSE_CONV,
                [
                    constant(np.array([1, 12, 10, 2], np.int32)),
                    constant(_few((2, 3, 3, 3), 20), [0.1, 0.2]),
                    image,
                    constant(_few((2,), 2, "int32"), [0.05, 0.1]),
                ],
                [fed((1, 12, 10, 2), np.int8, 2.0, -5)],
                TransposeConvOptions(Padding.SAME, 2, 2),
            ),
            {1: 5, 3: 1},
        ),
        "fully connected": (
            SingleOp(
                Op.FULLY_CONNECTED,
                [rows, constant(_few((5, 8), 3), 0.1), constant(_few((5,), 4, "int32"), 0.05)],
                [sums],
                FullyConnectedOptions(),
            ),
            {1: 2, 2: 7},
        ),
        "fully connected float": (
            SingleOp(
                Op.FULLY_CONNECTED,
                [fed((2, 8), np.float32), constant(_few((5, 8), 50, "float32")), None],
                [fed((2, 5), np.float32)],
                FullyConnectedOptions(),
            ),
            {1: 6},
        ),
        "concatenation": (
            SingleOp(
                Op.CONCATENATION,
                [rows, constant(_few((2, 3), 5), 0.5, 3)],
                [fed((2, 11), np.int8, 0.5, 3)],
                ConcatenationOptions(axis=1),
            ),
            {1: 3},
        ),
    }


LAYERS = _layer_cases()


@pytest.mark.parametrize(("case", "tensors"), LAYERS.values(), ids=LAYERS)
def test_an_operator_works_as_with_plain_constants(case: SingleOp, tensors: dict[int, int]) -> None:
    feeds = random_feeds(case)
    model = loaded(compressed(case.model(), tensors))
    assert_same(run_ours(model, feeds), run_ours(case.model(), feeds))


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize(("case", "tensors"), LAYERS.values(), ids=LAYERS)
def test_an_operator_with_compressed_constants_is_that_of_tflm(
    case: SingleOp, tensors: dict[int, int]
) -> None:
    feeds, model = random_feeds(case), compressed(case.model(), tensors)
    assert_same(run_ours(model, feeds), run_tflm(model, feeds), atol=1e-4)


@needs_tflm
@pytest.mark.oracle
def test_a_variable_takes_a_compressed_value_as_in_tflm() -> None:
    pair = fed((2, 3), np.float32)
    values = np.array([[1.5, 2.5, 1.5], [2.5, 2.5, 1.5]], np.float32)
    tensors = {"x": pair, "h": RESOURCE, "c": constant(values), "y": pair}
    calls = [
        Call(Op.VAR_HANDLE, [], ["h"], VarHandleOptions("", "v")),
        Call(Op.ASSIGN_VARIABLE, ["h", "c"]),
        Call(Op.READ_VARIABLE, ["h"], ["y"]),
    ]
    model = compressed(model_of(Graph(tensors, ["x"], ["y"], calls)), {2: 1})
    feeds = [np.zeros((2, 3), np.float32)]
    assert_same(run_ours(model, feeds), [values])
    assert_same(run_tflm(model, feeds), [values])


def _small() -> Model:
    return compressed(adding(np.array([3, 5, 3, 7], np.int32)), {1: 2})


def _with_metadata(subgraphs: Sequence[Sequence[tuple[int, int, int]]], version: int = 1) -> Model:
    model = _small()
    metadata = Buffer(compression_metadata(subgraphs, version))
    return replace(model, buffers=(*model.buffers[:-1], metadata))


def _with_tensor(**changes: Any) -> Model:
    model = _small()
    graph = model.subgraphs[0]
    tensors = list(graph.tensors)
    tensors[1] = replace(tensors[1], **changes)
    return replace(model, subgraphs=(replace(graph, tensors=tuple(tensors)),))


def _with_buffer(index: int, data: bytes) -> Model:
    model = _small()
    buffers = list(model.buffers)
    buffers[index] = Buffer(data)
    return replace(model, buffers=tuple(buffers))


def _with_scales(count: int, dimension: int) -> Model:
    values = np.array([3, 5, 3, 7, 3, 3, 3, 3], np.int8).reshape(2, 2, 2)
    model = compressed(adding(values), {1: 2})
    graph = model.subgraphs[0]
    scales = adding(values, (0.5,) * count, dimension).subgraphs[0].tensors[1].quantization
    tensors = (graph.tensors[0], replace(graph.tensors[1], quantization=scales), graph.tensors[2])
    return replace(model, subgraphs=(replace(graph, tensors=tensors),))


INDICES, TABLE, METADATA = 2, 3, 4

REFUSED = [
    (_with_metadata([]), "zero length Subgraph vector"),
    (_with_metadata([[]]), "subgraph 0: zero length LutTensor vector"),
    (_with_metadata([[(1, TABLE, 2)], [(0, TABLE, 2)]]), "there are 2 subgraphs, 1 in the model"),
    (_with_metadata([[(1, TABLE, 2)]], 2), r"schema version mismatch \(using 1 got 2\)"),
    (_with_metadata([[(3, TABLE, 2)]]), "subgraph 0, tensor 3: there is no such tensor"),
    (_with_metadata([[(-1, TABLE, 2)]]), "subgraph 0, tensor -1: there is no such tensor"),
    (_with_metadata([[(1, TABLE, 2)] * 2]), "the tensor is listed twice"),
    (_with_metadata([[(1, TABLE, 8)]]), "invalid bit width 8"),
    (_with_metadata([[(1, TABLE, 0)]]), "invalid bit width 0"),
    (_with_metadata([[(1, 5, 2)]]), "invalid value table for value_buffer 5"),
    (_with_metadata([[(1, 0, 2)]]), "invalid value table for value_buffer 0"),
    (_with_metadata([[(0, TABLE, 2)]]), "there are 0 bytes of indices, 1 are needed"),
    (_with_tensor(shape=()), "scalar tensors not supported"),
    (_with_tensor(type=TensorType.UINT8), "tensors of type UINT8 cannot be compressed"),
    (_with_tensor(shape=(5,)), "there are 1 bytes of indices, 2 are needed"),
    (_with_buffer(INDICES, b"\xff"), "an index asks for value 3, there are 3"),
    (_with_buffer(TABLE, bytes(11)), "an index asks for value 2, there are 2"),
    (_with_buffer(METADATA, b"not a FlatBuffer"), "COMPRESSION_METADATA: "),
    (_with_scales(2, 1), "unsupported quantization axis 1"),
]


@pytest.mark.parametrize(("model", "reason"), REFUSED)
def test_refuses_metadata_that_do_not_fit(model: Model, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        Interpreter(model)


@pytest.mark.parametrize("buffer", [0, 2])
def test_metadata_without_bytes_do_not_count(buffer: int) -> None:
    values = np.array([3, 5, 3, 7], np.int32)
    plain = adding(values)
    model = replace(
        plain,
        buffers=(*plain.buffers, Buffer(b"")),
        metadata=(Metadata("COMPRESSION_METADATA", buffer),),
    )
    np.testing.assert_array_equal(Interpreter(model).tensor(1).values, values)


def test_counts_what_constants_take_after_decompression() -> None:
    indices = pack([0] * 1000, 1)
    model = _with_buffer(INDICES, indices)
    graph = model.subgraphs[0]
    tensors = (graph.tensors[0], replace(graph.tensors[1], shape=(1000,)), graph.tensors[2])
    model = replace(model, subgraphs=(replace(graph, tensors=tensors),))
    with pytest.raises(ModelError, match="compressed constants need 4000 bytes, the limit is 3999"):
        Interpreter(model, memory_limit_bytes=3999)


def test_damaged_metadata_never_do_more_than_fail() -> None:
    model = compressed(adding(_few((40,), 30), (0.5,) * 40), {1: 7})
    good = bytes(model.buffers[-1].data)
    damaged = chain(
        with_words_replaced(good), with_bytes_flipped(good, 1000), truncated(good, len(good))
    )
    outcomes: set[type[Exception] | None] = set()
    for data in damaged:
        try:
            prepared(replace(model, buffers=(*model.buffers[:-1], Buffer(data))))
            outcomes.add(None)
        except (ModelError, UnsupportedModelError) as error:
            outcomes.add(type(error))
    assert ModelError in outcomes
    assert None in outcomes


def test_an_operand_may_be_shared_with_a_plain_tensor() -> None:
    """Tensors are compressed one by one, not by their buffer."""
    model = _small()
    graph = model.subgraphs[0]
    plain = replace(graph.tensors[1], type=TensorType.INT8, shape=(1,))
    model = replace(model, subgraphs=(replace(graph, tensors=(*graph.tensors, plain)),))
    interpreter = Interpreter(model)
    assert interpreter.tensor(1).values.tolist() == [3, 5, 3, 7]
    assert interpreter.tensor(3).values.tolist() == [0b00010010]
