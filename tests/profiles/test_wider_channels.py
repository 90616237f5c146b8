"""Models with channels rounded up: the same function, in other shapes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import Operand, constant, fed
from tinyml_profiles import profile_model
from tinyml_profiles.what_if import find_what_ifs
from tinyml_profiles.wider import widen
from tinyml_runtime import Interpreter
from tinyml_runtime.model.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    Pool2DOptions,
    ReshapeOptions,
)
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, Padding

SCALE = 0.05
RANDOM = np.random.default_rng(0)


def weights(*shape: int, axis: int = 0) -> Operand:
    values = RANDOM.integers(-127, 128, shape).astype(np.int8)
    return constant(values, [0.01] * shape[axis], 0, axis)


def bias(units: int) -> Operand:
    return constant(RANDOM.integers(-500, 500, units).astype(np.int32), [0.01 * SCALE] * units)


def values(*shape: int) -> Operand:
    return fed(shape, np.int8, SCALE, 3)


def network(channels: int = 10, hidden: int = 7) -> Model:
    """Convolutions with a way around, channels flattened, and two dense layers."""
    image = 1, 6, 6
    tensors = {
        "image": values(*image, 3),
        "first": weights(channels, 3, 3, 3),
        "first_bias": bias(channels),
        "a": values(*image, channels),
        "each": weights(1, 3, 3, channels, axis=3),
        "each_bias": bias(channels),
        "b": values(*image, channels),
        "mixing": weights(channels, 1, 1, channels),
        "mixing_bias": bias(channels),
        "mixed": values(*image, channels),
        "sum": values(*image, channels),
        "pooled": values(1, 3, 3, channels),
        "flat": values(1, 9 * channels),
        "dense": weights(hidden, 9 * channels),
        "dense_bias": bias(hidden),
        "c": values(1, hidden),
        "last": weights(2, hidden),
        "last_bias": bias(2),
        "scores": values(1, 2),
    }
    conv = Conv2DOptions(Padding.SAME, 1, 1)
    depthwise = DepthwiseConv2DOptions(Padding.SAME, 1, 1, depth_multiplier=1)
    calls = [
        Call(BuiltinOperator.CONV_2D, ("image", "first", "first_bias"), ("a",), conv),
        Call(BuiltinOperator.DEPTHWISE_CONV_2D, ("a", "each", "each_bias"), ("b",), depthwise),
        Call(BuiltinOperator.CONV_2D, ("b", "mixing", "mixing_bias"), ("mixed",), conv),
        Call(BuiltinOperator.ADD, ("a", "mixed"), ("sum",), AddOptions()),
        Call(
            BuiltinOperator.MAX_POOL_2D,
            ("sum",),
            ("pooled",),
            Pool2DOptions(Padding.VALID, 2, 2, 2, 2),
        ),
        Call(BuiltinOperator.RESHAPE, ("pooled",), ("flat",), ReshapeOptions((1, 9 * channels))),
        Call(
            BuiltinOperator.FULLY_CONNECTED,
            ("flat", "dense", "dense_bias"),
            ("c",),
            FullyConnectedOptions(),
        ),
        Call(
            BuiltinOperator.FULLY_CONNECTED,
            ("c", "last", "last_bias"),
            ("scores",),
            FullyConnectedOptions(),
        ),
    ]
    return model_of(Graph(tensors, ("image",), ("scores",), calls))


def scores(model: Model, image: Array) -> Array:
    interpreter = Interpreter(model)
    interpreter.allocate_tensors()
    interpreter.set_input(image, 0)
    interpreter.invoke()
    return interpreter.output(0)


@pytest.mark.parametrize("multiple", [4, 16])
def test_more_channels_compute_the_same(multiple: int) -> None:
    model = network()
    wider = widen(model, multiple)
    assert wider is not None
    image = RANDOM.integers(-128, 128, (1, 6, 6, 3)).astype(np.int8)
    assert np.array_equal(scores(wider, image), scores(model, image))
    shapes = {tensor.name: tensor.shape for tensor in wider.subgraphs[0].tensors}
    rounded, hidden = -(-10 // multiple) * multiple, -(-7 // multiple) * multiple
    assert shapes["sum"] == (1, 6, 6, rounded)
    assert shapes["flat"] == (1, 9 * rounded)
    assert shapes["dense"] == (hidden, 9 * rounded)
    assert (shapes["image"], shapes["scores"]) == ((1, 6, 6, 3), (1, 2))


def test_channels_that_are_multiples_stay() -> None:
    assert widen(network(16, 32), 16) is None


def test_channels_that_are_seen_from_outside_stay() -> None:
    wider = widen(network(16, 7), 4)
    assert wider is not None
    changed = {
        old.name
        for old, new in zip(
            network(16, 7).subgraphs[0].tensors, wider.subgraphs[0].tensors, strict=True
        )
        if old.shape != new.shape
    }
    assert changed == {"dense", "dense_bias", "c", "last"}


def test_channels_that_do_not_fill_vectors_are_a_row_where_more_are_faster() -> None:
    model = network(channels=15, hidden=16)
    found = find_what_ifs(model, profile_model(model, "esp32-s3-devkitc", "esp-nn"))
    (row,) = [row for row in found.rows if "channels" in row.what]
    assert row.saved_ms > 0
    # 15 to 16 channels, as multiples of 4, 8 and 16: the first of them is named.
    assert row.what.startswith("channels in multiples of 4 (+")
    wider = widen(model, 4)
    assert wider is not None
    assert row.latency_ms == profile_model(wider, "esp32-s3-devkitc", "esp-nn").total.latency_ms


@pytest.mark.parametrize(
    ("model", "note"),
    [(network(), "would not be faster"), (network(16, 32), "no channels to round up")],
)
def test_where_rounding_does_not_help_a_note_says_so(model: Model, note: str) -> None:
    found = find_what_ifs(model, profile_model(model, "nucleo-l4r5zi", "reference"))
    assert not any("channels" in row.what for row in found.rows)
    assert any(note in each for each in found.notes)
