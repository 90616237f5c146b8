"""What the library CMSIS-NN refuses and the reference does not; else it computes the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.runtime.kernels.test_arithmetic import binary
from tests.runtime.kernels.test_batch_matmul import matmul
from tests.runtime.kernels.test_lstm import lstm
from tests.support.layers import conv, dense, depthwise
from tests.support.single_op import SingleOp, random_feeds, run_ours
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.types import BuiltinOperator

ADD = BuiltinOperator.ADD
NONE = (0, 0, 0)


def _output_at_5(case: SingleOp) -> SingleOp:
    return replace(case, outputs=[replace(case.outputs[0], zero_points=(5,))])


REFUSED = {
    "ADD of int16 with a zero point": (
        binary(ADD, np.int16, zero_points=(0, 1, 0)),
        "input2->params.zero_point != 0 (1 != 0)",
    ),
    "BATCH_MATMUL of five dimensions": (
        matmul((1, 1, 2, 3, 5), (1, 1, 2, 5, 4), (1, 1, 2, 3, 4)),
        "lhs_rank <= 4 was not true.",
    ),
    "CONV_2D of int16 with a zero point": (
        _output_at_5(conv("int16", bias="int64")),
        "output->params.zero_point != 0 (5 != 0)",
    ),
    "DEPTHWISE_CONV_2D of int16 with a zero point": (
        _output_at_5(depthwise("int16", bias="int64")),
        "output->params.zero_point != 0 (5 != 0)",
    ),
    "FULLY_CONNECTED of int16 with a zero point": (
        _output_at_5(dense("int16", bias="int64")),
        "output->params.zero_point != 0 (5 != 0)",
    ),
    "FULLY_CONNECTED of int16 with a scale for every unit": (
        dense("int16", bias="int64", per_channel=True),
        "is_per_channel",
    ),
    "LSTM with weights that are inputs": (
        lstm(fixed=False),
        "IsConstantTensor(lstm_tensors.GetInternalTensor(i)) was not true.",
    ),
}
TAKEN = {
    "ADD of int8": binary(ADD),
    "ADD of int16": binary(ADD, np.int16, zero_points=NONE),
    "BATCH_MATMUL of four dimensions": matmul((1, 2, 3, 5), (1, 2, 5, 4), (1, 2, 3, 4)),
    "CONV_2D of int8": conv(),
    "CONV_2D of int16": conv("int16", bias="int64"),
    "DEPTHWISE_CONV_2D of int16": depthwise("int16", bias="int64"),
    "FULLY_CONNECTED of int8 with a scale for every unit": dense(per_channel=True),
    "FULLY_CONNECTED of int16": dense("int16", bias="int64"),
    "LSTM": lstm(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_cmsis_nn_refuses_with_the_words_of_tflm(name: str) -> None:
    case, words = REFUSED[name]
    model = case.model()
    Interpreter(model).allocate_tensors()
    with pytest.raises(UnsupportedModelError) as caught:
        Interpreter(model, library="cmsis-nn").allocate_tensors()
    problem = caught.value.problems[0]
    assert words in problem.reason
    assert "CMSIS-NN" in problem.remedy


@pytest.mark.parametrize("name", TAKEN)
def test_cmsis_nn_computes_what_the_reference_computes(name: str) -> None:
    case: SingleOp = TAKEN[name]
    model, feeds = case.model(), random_feeds(case)
    interpreter = Interpreter(model, library="cmsis-nn")
    interpreter.allocate_tensors()
    for index, array in enumerate(feeds):
        interpreter.set_input(array, index)
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.output(0), run_ours(model, feeds)[0])
