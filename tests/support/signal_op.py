"""Single-operator models of the audio front end, and sequences of invocations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers.flexbuffers as flexbuffers  # pyright: ignore[reportMissingTypeStubs]
import numpy as np

from tests.support.single_op import Operand, SingleOp, fed
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType


def flexbuffer(**values: Any) -> bytes:
    """A FlexBuffers map, as custom options hold it."""
    writer: Any = flexbuffers
    return bytes(writer.Dumps(values))


def signal_op(
    code: str, inputs: Sequence[Operand], outputs: Sequence[Operand], **options: Any
) -> SingleOp:
    """The operator with this custom code; without options it has no FlexBuffer either."""
    return SingleOp(code, inputs, outputs, custom_options=flexbuffer(**options) if options else b"")


def levels(channels: int) -> Operand:
    """A uint64 tensor."""
    return Operand((channels,), TensorType.UINT64)


def flag() -> Operand:
    """A truth value without dimensions."""
    return fed((), np.bool_)


def prepared(case: SingleOp) -> Interpreter:
    """An interpreter that is ready to run the case."""
    interpreter = Interpreter(case.model())
    interpreter.allocate_tensors()
    return interpreter


def run_in_turn(interpreter: Interpreter, samples: Sequence[Array]) -> list[list[Array]]:
    """The outputs of one invocation after another, for a model of one input."""
    outputs: list[list[Array]] = []
    for sample in samples:
        interpreter.set_input(sample)
        interpreter.invoke()
        outputs.append([interpreter.output(index) for index in range(len(interpreter.outputs))])
    return outputs


def run_tflm_in_turn(model: Model, samples: Sequence[Array]) -> list[list[Array]]:
    """The same in the `tflite-micro` wheel."""
    from tflite_micro.python.tflite_micro import runtime  # pyright: ignore[reportMissingTypeStubs]

    wheel: Any = runtime
    interpreter = wheel.Interpreter.from_bytes(write_model(model), arena_size=1 << 20)
    outputs: list[list[Array]] = []
    for sample in samples:
        interpreter.set_input(sample, 0)
        interpreter.invoke()
        count = len(model.subgraphs[0].outputs)
        outputs.append([np.array(interpreter.get_output(index)) for index in range(count)])
    return outputs
