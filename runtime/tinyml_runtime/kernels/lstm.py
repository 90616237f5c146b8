"""UNIDIRECTIONAL_SEQUENCE_LSTM: hidden states over time, each from an input and the state before.

Shapes    input [batch, time, features], or [time, batch, features] where the options say so; per
          gate input weights [units, features], recurrent weights [units, units], bias [units];
          hidden state and cell state [batch, units] -> output like the input, of units
Types     float32; int8 with int8 weights, int32 bias and int16 cell state; int16 with int8
          weights, int64 bias and int16 cell state
Units     real = scale * (stored - zero point); inside, gates are in Q3.12 before and Q0.15 after
          their activation
Source    tflite-micro `micro/kernels/unidirectional_sequence_lstm.cc`, `lstm_eval.h`,
          `lstm_eval.cc`, `lstm_eval_common.cc`

Both states are variables. Of the 24 inputs those of peepholes, projection and layer normalization
must be absent. Any activation but TANH leaves the cell gate as it is, as in a release build of
TFLM. The weights of all gates are side by side: input, forget, output, cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tinyml_runtime.kernels.lstm_cells import FloatCell, GateWeights, IntegerCell
from tinyml_runtime.kernels.lstm_scaling import integer_scaling
from tinyml_runtime.model.options import UnidirectionalSequenceLSTMOptions
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
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

INPUT = 0
INPUT_WEIGHTS = 1, 2, 4, 3
RECURRENT_WEIGHTS = 5, 6, 8, 7
BIASES = 12, 13, 15, 14
PEEPHOLES = 9, 10, 11
PROJECTION = 16, 17
HIDDEN_STATE, CELL_STATE = 18, 19
LAYER_NORM = 20, 21, 22, 23
OUTPUT = 0
INPUT_COUNT = 24

_WEIGHTS = *INPUT_WEIGHTS, *RECURRENT_WEIGHTS, *BIASES
# Activations, then weights, biases and cell state.
_TYPES = {
    TensorType.FLOAT32: (TensorType.FLOAT32, TensorType.FLOAT32, TensorType.FLOAT32),
    TensorType.INT8: (TensorType.INT8, TensorType.INT32, TensorType.INT16),
    TensorType.INT16: (TensorType.INT8, TensorType.INT64, TensorType.INT16),
}


@dataclass(frozen=True, slots=True)
class LstmData:
    """What `prepare` settles; `cell` is None where weights may change and it is made each time."""

    time_major: bool
    batch: int
    units: int
    make_cell: Callable[[GateWeights], FloatCell | IntegerCell]
    cell: FloatCell | IntegerCell | None


def prepare(context: PrepareContext, node: Node) -> LstmData:
    """Check all operands; lay out the weights and fold their scales."""
    options = node.options_as(UnidirectionalSequenceLSTMOptions)
    check(len(node.inputs) == INPUT_COUNT, f"there are {len(node.inputs)} inputs, not 24")
    check(len(node.outputs) == 1, f"there are {len(node.outputs)} outputs, not 1")
    for variant, positions in (
        ("peepholes", PEEPHOLES),
        ("a projection", PROJECTION),
        ("layer normalization", LAYER_NORM),
    ):
        given = [i for i in positions if context.optional_input(node, i) is not None]
        check(not given, f"an LSTM with {variant} is not supported", "use Keras' standard LSTM")
    source = context.input(node, INPUT)
    hidden = context.input(node, HIDDEN_STATE)
    cell = context.input(node, CELL_STATE)
    output = context.output(node, OUTPUT)
    weights = {position: context.input(node, position) for position in _WEIGHTS}
    _check_types(source, hidden, cell, output, weights)
    batch, units = _check_shapes(options.time_major, source, hidden, cell, output)
    for position, tensor in weights.items():
        _check_weight_shape(position, tensor, units, source.shape[2])
    has_tanh = options.fused_activation is Activation.TANH
    make_cell: Callable[[GateWeights], FloatCell | IntegerCell]
    make_cell = partial(FloatCell, clip=options.cell_clip, has_tanh=has_tanh)
    if source.type is not TensorType.FLOAT32:
        scaling = integer_scaling(
            source,
            hidden,
            cell,
            [weights[position] for position in INPUT_WEIGHTS],
            [weights[position] for position in RECURRENT_WEIGHTS],
            cell_clip=options.cell_clip,
            has_tanh=has_tanh,
        )
        make_cell = partial(IntegerCell, scaling=scaling)
    made = None
    if all(tensor.is_constant for tensor in weights.values()):
        made = make_cell(_gate_weights(weights))
    return LstmData(options.time_major, batch, units, make_cell, made)


def bind(context: EvalContext, node: Node, data: LstmData) -> Callable[[], None]:
    """Run the cell over all time steps; leave the last states in their tensors."""
    source = context.input(node, INPUT).values
    output = context.output(node, OUTPUT).values
    hidden = context.input(node, HIDDEN_STATE).values.reshape(data.batch, data.units)
    state = context.input(node, CELL_STATE).values.reshape(data.batch, data.units)
    if not data.time_major:
        source, output = source.transpose(1, 0, 2), output.transpose(1, 0, 2)
    if data.cell is not None:
        return data.cell.bind(source, hidden, state, output)
    weights = {position: context.input(node, position) for position in _WEIGHTS}
    return lambda: data.make_cell(_gate_weights(weights)).bind(source, hidden, state, output)()


def _gate_weights(tensors: dict[int, Tensor]) -> GateWeights:
    return GateWeights(
        [tensors[position].values for position in INPUT_WEIGHTS],
        [tensors[position].values for position in RECURRENT_WEIGHTS],
        [tensors[position].values for position in BIASES],
    )


def _check_types(
    source: Tensor, hidden: Tensor, cell: Tensor, output: Tensor, weights: dict[int, Tensor]
) -> None:
    kind = source.type
    check(kind in _TYPES, f"Input type {kind.name} ({int(kind)}) not supported.")
    check_type(hidden, "the hidden state", kind)
    check_type(output, "output 0", kind)
    check(hidden.is_variable, "the hidden state is no variable tensor")
    check(cell.is_variable, "the cell state is no variable tensor")
    weight_type, bias_type, cell_type = _TYPES[kind]
    check_type(cell, "the cell state", cell_type)
    for position, tensor in weights.items():
        expected = bias_type if position in BIASES else weight_type
        check_type(tensor, f"input {position}", expected)


def _check_shapes(
    time_major: bool, source: Tensor, hidden: Tensor, cell: Tensor, output: Tensor
) -> tuple[int, int]:
    """Batch and units; NodeError unless states and output have the right shapes."""
    check(len(source.shape) == 3, f"the input has {len(source.shape)} dimensions, not 3")
    check(len(hidden.shape) > 1, f"the hidden state has {len(hidden.shape)} dimensions, not 2")
    check(min(source.shape) > 0, "the input has no elements")
    batch, units = source.shape[1 if time_major else 0], hidden.shape[1]
    check(units > 0, "there are no units")
    for role, tensor in (("hidden", hidden), ("cell", cell)):
        check(tensor.size == batch * units, f"the {role} state has not {batch} x {units} elements")
    check_shape(output, "output 0", (*source.shape[:2], units))
    return batch, units


def _check_weight_shape(position: int, tensor: Tensor, units: int, features: int) -> None:
    if position in BIASES:
        shape: tuple[int, ...] = (units,)
    else:
        shape = (units, features if position in INPUT_WEIGHTS else units)
    check(
        tensor.shape == shape,
        f"input {position} has shape {list(tensor.shape)}, not {list(shape)}",
    )


UNIDIRECTIONAL_SEQUENCE_LSTM = Registration(
    BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM, prepare, BindingEvaluate(bind)
)
