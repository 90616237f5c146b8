"""Shares of zeros in float models: by hand, and beside what is left after runs on many inputs."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pytest

from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import Operand, constant, fed
from tinyml_runtime import Interpreter
from tinyml_runtime.events import Event, NodeFinished
from tinyml_runtime.model.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    Pool2DOptions,
)
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.prepared_model import nodes_of
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import Activation, Padding, TensorType
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.workloads.moments import share_of_zeros, zero_shares

F32 = np.float32
RELU, SAME, VALID = Activation.RELU, Padding.SAME, Padding.VALID


def floats(*values: float) -> Operand:
    return constant(np.array(values, F32))


def dense(weights: Operand, bias: Operand, units: int) -> Model:
    """A layer with RELU on two inputs."""
    tensors = {
        "in": fed((1, 2), F32),
        "weights": weights,
        "bias": bias,
        "out": fed((1, units), F32),
    }
    call = Call(
        Op.FULLY_CONNECTED,
        ("in", "weights", "bias"),
        ("out",),
        FullyConnectedOptions(fused_activation=RELU),
    )
    return model_of(Graph(tensors, ("in",), ("out",), (call,)))


def shares(model: Model) -> Mapping[str, float]:
    """The share of zeros of every tensor that a node makes, by its name."""
    tensors = make_tensors(model, 2**24)[0]
    found = zero_shares(list(nodes_of(model, 0)), tensors)
    return {tensors[index].name: share for index, share in found.items()}


def test_a_unit_is_zero_as_often_as_its_normal_sum_is_below_zero() -> None:
    weights = constant(np.array([[1, 1], [1, 1], [3, 0]], F32))
    # The sums have means 0, 0.8165 and -9 and variances of 2/3, 2/3 and 3 (one input: 1/3): the
    # normal distribution has a half, 15.87 % (one deviation), and all of it below zero.
    found = shares(dense(weights, floats(0, np.sqrt(2 / 3), -9), 3))
    assert found["out"] == pytest.approx((0.5 + 0.1587 + 1) / 3, abs=1e-3)


def test_without_an_activation_nothing_is_zero() -> None:
    call = Call(Op.FULLY_CONNECTED, ("in", "weights"), ("out",), FullyConnectedOptions())
    weights = constant(np.ones((1, 2), F32))
    tensors = {"in": fed((1, 2), F32), "weights": weights, "out": fed((1, 1), F32)}
    assert shares(model_of(Graph(tensors, ("in",), ("out",), (call,)))) == {"out": 0.0}


def test_an_operator_that_nobody_follows_leaves_no_zeros_behind() -> None:
    tensors = {"in": fed((1, 4), F32), "middle": fed((1, 4), F32), "out": fed((1, 4), F32)}
    calls = (Call(Op.SOFTMAX, ("in",), ("middle",)), Call(Op.RELU, ("middle",), ("out",)))
    found = shares(model_of(Graph(tensors, ("in",), ("out",), calls)))
    assert found == {"middle": 0.0, "out": pytest.approx(0.5)}


def test_weights_that_only_a_run_tells_leave_no_zeros() -> None:
    tensors = {"in": fed((1, 2), F32), "weights": fed((3, 2), F32), "out": fed((1, 3), F32)}
    options = FullyConnectedOptions(fused_activation=RELU)
    call = Call(Op.FULLY_CONNECTED, ("in", "weights"), ("out",), options)
    found = shares(model_of(Graph(tensors, ("in", "weights"), ("out",), (call,))))
    # The sum may be anything about zero, of which RELU takes a half.
    assert found == {"out": pytest.approx(0.5)}


def test_a_tensor_of_any_length_takes_little_memory() -> None:
    length = 200_000_000
    tensors = {name: fed((1, length), F32) for name in ("in", "out")}
    call = Call(Op.RELU, ("in",), ("out",))
    model = model_of(Graph(tensors, ("in",), ("out",), (call,)))
    tracemalloc.start()
    found = zero_shares(list(nodes_of(model, 0)), make_tensors(model, 2**31)[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert list(found.values()) == [pytest.approx(0.5)]
    assert peak < 50e6


def test_weights_that_are_not_numbers_do_no_harm() -> None:
    weights = constant(np.array([[np.nan, np.inf]], F32))
    assert 0 <= shares(dense(weights, floats(0), 1))["out"] <= 1


def test_zeros_of_constants_are_counted() -> None:
    tensor = Tensor(0, "", TensorType.FLOAT32, (4,), values=np.array([0, 1, 0, 2], F32))
    assert share_of_zeros(tensor) == 0.5
    assert share_of_zeros(Tensor(0, "", TensorType.FLOAT32, (0,))) == 0.0


def network(generator: np.random.Generator) -> Model:
    """Convolution, depthwise convolution, their sum, an average, and two dense layers."""

    def weights(*shape: int) -> Operand:
        return constant(generator.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(F32))

    def bias(channels: int) -> Operand:
        return constant(generator.normal(0, 0.3, channels).astype(F32))

    image = (1, 8, 8, 12)
    tensors = {
        "in": fed((1, 8, 8, 6), F32),
        **{name: fed(image, F32) for name in ("conv", "depthwise", "sum")},
        "average": fed((1, 4, 4, 12), F32),
        "flat": fed((1, 192), F32),
        "dense": fed((1, 40), F32),
        "out": fed((1, 4), F32),
        **{"w1": weights(12, 3, 3, 6), "b1": bias(12), "w2": weights(1, 3, 3, 12), "b2": bias(12)},
        **{"w3": weights(40, 192), "b3": bias(40), "w4": weights(4, 40), "b4": bias(4)},
        "shape": constant(np.array([1, 192], np.int32)),
    }
    pool = Pool2DOptions(VALID, stride_w=2, stride_h=2, filter_width=2, filter_height=2)
    rectified = FullyConnectedOptions(fused_activation=RELU)
    calls = (
        Call(Op.CONV_2D, ("in", "w1", "b1"), ("conv",), Conv2DOptions(SAME, 1, 1, RELU)),
        Call(
            Op.DEPTHWISE_CONV_2D,
            ("conv", "w2", "b2"),
            ("depthwise",),
            DepthwiseConv2DOptions(SAME, 1, 1, 1, RELU),
        ),
        Call(Op.ADD, ("conv", "depthwise"), ("sum",), AddOptions()),
        Call(Op.AVERAGE_POOL_2D, ("sum",), ("average",), pool),
        Call(Op.RESHAPE, ("average", "shape"), ("flat",)),
        Call(Op.FULLY_CONNECTED, ("flat", "w3", "b3"), ("dense",), rectified),
        Call(Op.FULLY_CONNECTED, ("dense", "w4", "b4"), ("out",), FullyConnectedOptions()),
    )
    return model_of(Graph(tensors, ("in",), ("out",), calls))


class _Zeros:
    """Hears of every node; gathers the share of zeros that it made."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.found: dict[str, list[float]] = defaultdict(list)
        self._interpreter = interpreter

    def notify(self, event: Event) -> None:
        if isinstance(event, NodeFinished):
            for tensor in event.outputs:
                self.found[tensor.name].append(share_of_zeros(tensor))


@pytest.mark.parametrize("seed", range(3))
def test_the_shares_are_those_of_runs_on_evenly_spread_inputs(seed: int) -> None:
    generator = np.random.default_rng(seed)
    model = network(generator)
    interpreter = Interpreter(model)
    interpreter.allocate_tensors()
    zeros = _Zeros(interpreter)
    interpreter.listeners.append(zeros)
    for _ in range(20):
        interpreter.set_input(generator.uniform(-1, 1, (1, 8, 8, 6)).astype(F32))
        interpreter.invoke()
    told = shares(model)
    for name in ("conv", "depthwise", "dense"):
        assert told[name] == pytest.approx(np.mean(zeros.found[name]), abs=0.06), name
