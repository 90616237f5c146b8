"""Graphs in another form: int8 instead of wider types, a smaller image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import corpus_model, needs_corpus
from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import constant, fed
from tinyml_profiles import plan_model
from tinyml_profiles.rewriting.errors import RewriteError
from tinyml_profiles.rewriting.narrow import narrowed, wide_types
from tinyml_profiles.rewriting.scale import image_size, scaled, smaller_sizes
from tinyml_runtime import BuiltinOperator, Interpreter, Model, load_model, write_model
from tinyml_runtime.model.options import (
    ConcatenationOptions,
    Conv2DOptions,
    FullyConnectedOptions,
    Pool2DOptions,
    ReducerOptions,
    ReshapeOptions,
)
from tinyml_runtime.model.schema import Buffer, Metadata
from tinyml_runtime.types import Padding, TensorType

Op = BuiltinOperator
EXAMPLES = Path(__file__).parents[2] / "examples"
FLOAT, INT8 = EXAMPLES / "digits_float.tflite", EXAMPLES / "digits.tflite"
VWW = EXAMPLES / "shapes/vww_mobilenet_v1.tflite"


def arena(model: Model, library: str = "reference") -> int:
    return plan_model(model, None, library).arena.min_bytes


@pytest.mark.parametrize("library", ["reference", "cmsis-nn"])
def test_int8_has_the_arena_of_the_model_that_a_converter_made(library: str) -> None:
    assert arena(narrowed(load_model(FLOAT)), library) == arena(load_model(INT8), library)


def test_int8_has_nearly_the_file_of_the_model_that_a_converter_made() -> None:
    ours, theirs = (len(write_model(m)) for m in (narrowed(load_model(FLOAT)), load_model(INT8)))
    assert ours == pytest.approx(theirs, rel=0.02)


@needs_corpus
@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("mlperf_tiny/pretrainedResnet", "mlperf_tiny/pretrainedResnet_quant"),
        ("mlperf_tiny/model_ToyCar", "mlperf_tiny/model_ToyCar_quant_fullint_micro_intio"),
        ("mlperf_tiny/kws_ref_model_float32", "mlperf_tiny/kws_ref_model"),
        ("tflm/trained_lstm", "tflm/trained_lstm_int8"),
    ],
)
def test_int8_has_the_arenas_of_published_models(wide: str, narrow: str) -> None:
    float_model, int8_model = (load_model(corpus_model(name)) for name in (wide, narrow))
    for library in ("reference", "cmsis-nn"):
        assert arena(narrowed(float_model), library) == arena(int8_model, library)


def test_int8_weights_are_those_of_the_model_within_half_a_step() -> None:
    wide = load_model(FLOAT)
    narrow = narrowed(wide)
    for before, after in zip(wide.subgraphs[0].tensors, narrow.subgraphs[0].tensors, strict=True):
        if after.type is not TensorType.INT8 or not len(narrow.buffers[after.buffer].data):
            continue
        assert after.quantization is not None
        values = np.frombuffer(wide.buffers[before.buffer].data, np.float32).reshape(before.shape)
        stored = np.frombuffer(narrow.buffers[after.buffer].data, np.int8).reshape(after.shape)
        scales = np.array(after.quantization.scales, np.float32)
        shape = [1] * stored.ndim
        shape[after.quantization.dimension] = scales.size
        assert np.abs(stored * scales.reshape(shape) - values).max() <= scales.max() / 2 * 1.001


def test_nodes_that_only_convert_types_are_gone() -> None:
    scale, shape = 0.1, (1, 4)
    graph = Graph(
        {
            "in": fed(shape, np.float32),
            "q": fed(shape, np.int8, scale),
            "r": fed(shape, np.int8, scale),
            "out": fed(shape, np.float32),
        },
        ["in"],
        ["out"],
        [
            Call(Op.QUANTIZE, ["in"], ["q"]),
            Call(Op.RELU, ["q"], ["r"]),
            Call(Op.DEQUANTIZE, ["r"], ["out"]),
        ],
    )
    narrow = narrowed(model_of(graph))
    (node,) = narrow.subgraphs[0].operators
    assert narrow.code(node).builtin is Op.RELU
    assert (node.inputs, node.outputs) == (
        narrow.subgraphs[0].inputs,
        narrow.subgraphs[0].outputs,
    )
    assert arena(narrow) < arena(model_of(graph))


def test_int8_models_have_no_wide_types() -> None:
    assert wide_types(load_model(INT8)) == []
    assert wide_types(load_model(FLOAT)) == ["float32"]


def test_constants_that_share_bytes_without_bound_are_refused() -> None:
    values = constant(np.ones((1, 256), np.float32))
    names = [f"c{number}" for number in range(32)]
    tensors = {"in": fed((1, 256), np.float32), **dict.fromkeys(names, values)}
    tensors |= {f"s{number}": fed((1, 256), np.float32) for number in range(32)}
    calls = [Call(Op.MAXIMUM, ["in", name], [f"s{k}"]) for k, name in enumerate(names)]
    model = model_of(Graph(tensors, ["in"], ["s31"], calls))
    first = next(info.buffer for info in model.subgraphs[0].tensors if info.buffer)
    graph = model.subgraphs[0]
    shared = [replace(info, buffer=first if info.buffer else 0) for info in graph.tensors]
    buffers = [b if k in (0, first) else Buffer() for k, b in enumerate(model.buffers)]
    model = replace(
        model, subgraphs=(replace(graph, tensors=tuple(shared)),), buffers=tuple(buffers)
    )
    with pytest.raises(RewriteError, match="share"):
        narrowed(model)


def test_a_smaller_image_runs_and_takes_as_much_less_as_it_is_smaller() -> None:
    model = load_model(VWW)
    small = scaled(model, 64, 64)
    planned, before = (plan_model(one).plan.bytes for one in (small, model))
    assert planned == pytest.approx(before * (64 / 96) ** 2, rel=0.01)
    interpreter = Interpreter(load_model(write_model(small)))
    interpreter.allocate_tensors()
    interpreter.invoke()
    assert interpreter.output(0).shape == (1, 2)


@pytest.mark.parametrize("size", [(88, 88), (48, 64), (96, 40)])
def test_back_to_the_size_of_the_file_is_the_graph_of_the_file(size: tuple[int, int]) -> None:
    model = load_model(VWW)
    again = scaled(scaled(model, *size), *image_size(model))
    assert [info.shape for info in again.subgraphs[0].tensors] == [
        info.shape for info in model.subgraphs[0].tensors
    ]
    assert arena(again) == arena(model)


def convolution(height: int, width: int, dense: int | None = None) -> Model:
    """CONV_2D of stride 2 and the rows beside it; a mean, or a dense layer of `dense` values."""
    rows, columns = height // 2, width // 2
    tensors = {
        "image": fed((1, height, width, 1), np.float32),
        "weights": constant(np.ones((2, 3, 3, 1), np.float32)),
        "bias": constant(np.zeros(2, np.float32)),
        "c": fed((1, rows, columns, 2), np.float32),
        "d": fed((1, rows, columns, 4), np.float32),
    }
    options = Conv2DOptions(padding=Padding.SAME, stride_h=2, stride_w=2)
    calls = [
        Call(Op.CONV_2D, ["image", "weights", "bias"], ["c"], options),
        Call(Op.CONCATENATION, ["c", "c"], ["d"], ConcatenationOptions(axis=-1)),
    ]
    if dense is None:
        tensors["axes"] = constant(np.array([1, 2], np.int32))
        tensors["out"] = fed((1, 4), np.float32)
        calls.append(Call(Op.MEAN, ["d", "axes"], ["out"], ReducerOptions()))
    else:
        flat = 4 * rows * columns
        tensors["shape"] = constant(np.array([1, flat], np.int32))
        tensors["f"] = fed((1, flat), np.float32)
        tensors["w"] = constant(np.ones((3, flat), np.float32))
        tensors["out"] = fed((1, 3), np.float32)
        calls.append(Call(Op.RESHAPE, ["d", "shape"], ["f"], ReshapeOptions((1, flat))))
        calls.append(Call(Op.FULLY_CONNECTED, ["f", "w"], ["out"], FullyConnectedOptions()))
    return model_of(Graph(tensors, ["image"], ["out"], calls))


@pytest.mark.parametrize("size", [(16, 24), (30, 20), (7, 9)])
def test_shapes_are_those_of_a_graph_made_for_the_size(size: tuple[int, int]) -> None:
    even = size[0] + size[0] % 2, size[1] + size[1] % 2  # SAME rounds up
    made, ours = convolution(*even), scaled(convolution(32, 32), *size)
    shapes = [info.shape for info in ours.subgraphs[0].tensors]
    assert shapes[1:] == [info.shape for info in made.subgraphs[0].tensors][1:]
    assert shapes[0] == (1, *size, 1)


def test_a_dense_layer_behind_the_image_is_named() -> None:
    with pytest.raises(RewriteError, match=r"node 3 \(FULLY_CONNECTED\) takes 1,024 values"):
        scaled(convolution(32, 32, dense=1), 24, 24)


def test_a_window_over_the_whole_image_stays_one() -> None:
    pool = Call(
        Op.AVERAGE_POOL_2D,
        ["image"],
        ["out"],
        Pool2DOptions(Padding.VALID, stride_w=8, stride_h=8, filter_width=8, filter_height=8),
    )
    tensors = {"image": fed((1, 8, 8, 3), np.float32), "out": fed((1, 1, 1, 3), np.float32)}
    small = scaled(model_of(Graph(tensors, ["image"], ["out"], [pool])), 5, 6)
    assert small.subgraphs[0].tensors[1].shape == (1, 1, 1, 3)
    plan_model(small)


def test_a_free_size_of_a_reshape_stays_free() -> None:
    tensors = {
        "image": fed((1, 8, 8, 2), np.float32),
        "shape": constant(np.array([1, -1, 2], np.int32)),
        "out": fed((1, 64, 2), np.float32),
    }
    call = Call(Op.RESHAPE, ["image", "shape"], ["out"])
    small = scaled(model_of(Graph(tensors, ["image"], ["out"], [call])), 4, 6)
    graph = small.subgraphs[0]
    assert graph.tensors[2].shape == (1, 24, 2)
    data = small.buffers[graph.tensors[1].buffer].data
    assert np.frombuffer(data, np.int32).tolist() == [1, -1, 2]


def test_sizes_keep_the_proportion_and_have_an_end() -> None:
    assert list(smaller_sizes(96, 96))[:2] == [(88, 88), (80, 80)]
    assert next(iter(smaller_sizes(49, 10))) == (48, 10)
    assert list(smaller_sizes(28, 28))[:2] == [(27, 27), (26, 26)]
    for height, width in ((2**31, 2**31), (1, 2**31), (10_000, 20)):
        assert len(list(smaller_sizes(height, width))) <= 40


def test_a_model_without_an_image_has_no_smaller_one() -> None:
    with pytest.raises(RewriteError, match="no input has a height and a width"):
        image_size(load_model(EXAMPLES / "sine.tflite"))


def test_compressed_constants_are_refused() -> None:
    model = load_model(FLOAT)
    named = replace(model, metadata=(Metadata("COMPRESSION_METADATA", 0),))
    with pytest.raises(RewriteError, match="compressed"):
        narrowed(named)
