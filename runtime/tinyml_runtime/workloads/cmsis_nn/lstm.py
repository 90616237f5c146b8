"""UNIDIRECTIONAL_SEQUENCE_LSTM: at every step four gates, each with products and an activation.

The first step has no hidden state to multiply. Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/unidirectional_sequence_lstm.cc`; CMSIS-NN
          `Source/LSTMFunctions/arm_lstm_unidirectional_s8.c`, `..._s16.c`,
          `Source/NNSupportFunctions/arm_nn_lstm_step_s8.c`, `arm_nn_lstm_calculate_gate_s8_s16.c`,
          `arm_nn_vec_mat_mul_result_acc_s8_s16.c`,
          `Source/ActivationFunctions/arm_nn_activation_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyml_runtime.model.options import UnidirectionalSequenceLSTMOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns

INPUT, INPUT_WEIGHTS, HIDDEN_WEIGHTS, HIDDEN_STATE = 0, 1, 5, 18
_MATRIX = 2
GATES = 4
_GATE_SCALE = 2.0**-12
_LANES = {TensorType.INT8: 16, TensorType.INT16: 8}


@dataclass(frozen=True, slots=True)
class Sequence:
    """The sizes of an LSTM; `calls` is how often its step is called."""

    type: TensorType
    steps: int
    batch: int
    calls: int
    depth: int
    units: int


def lstm_sequence(context: WorkContext, node: Node) -> Sequence:
    """The sizes of UNIDIRECTIONAL_SEQUENCE_LSTM."""
    source, hidden = operand(context.input(node, INPUT)), operand(context.input(node, HIDDEN_STATE))
    is_time_major = node.options_as(UnidirectionalSequenceLSTMOptions).time_major
    first, second = 1, source.shape[0]
    if len(source.shape) > _MATRIX:
        first, second = source.shape[0], source.shape[1]
    steps, batch = (first, second) if is_time_major else (second, first)
    # Batches that are not the inner dimension are worked on one by one.
    calls = steps if is_time_major else steps * batch
    return Sequence(source.type, steps, batch, calls, source.shape[-1], hidden.shape[-1])


def count_lstm(context: WorkContext, node: Node) -> Workload:
    """The loops of UNIDIRECTIONAL_SEQUENCE_LSTM."""
    sequence = lstm_sequence(context, node)
    if sequence.type not in _LANES:
        return reference("UNIDIRECTIONAL_SEQUENCE_LSTM")(context, node)
    steps, batch, units = sequence.steps, sequence.batch, sequence.units
    kind = "s8" if sequence.type is TensorType.INT8 else "s16"
    lanes = _LANES[sequence.type] if MVE in context.extensions else 0
    cells = steps * batch * units
    return (
        once(f"lstm_{kind}.call"),
        turns(f"lstm_{kind}.step", sequence.calls),
        turns(f"lstm_{kind}.no_state", sequence.calls // max(1, steps)),
        *_products(kind, GATES * steps * batch, units, sequence.depth, lanes),
        *_products(kind, GATES * (steps - 1) * batch, units, units, lanes),
        turns(
            f"vec_mat_mul_result_acc_{kind}.rounding",
            batch * units * scaled_down(context, node, steps),
        ),
        *_cells(kind, sequence.calls, cells, units, is_mve=bool(lanes)),
    )


def scaled_down(context: WorkContext, node: Node, steps: int) -> int:
    """Products per unit that are scaled down, which rounds them; others are scaled up."""
    total = 0
    for position, weights, times in (
        (INPUT, INPUT_WEIGHTS, steps),
        (HIDDEN_STATE, HIDDEN_WEIGHTS, steps - 1),
    ):
        scale = operand(context.input(node, position)).scale
        for gate in range(GATES):
            factor = scale * operand(context.input(node, weights + gate)).scale
            total += times if factor < _GATE_SCALE else 0
    return total


def _products(kind: str, runs: int, units: int, depth: int, lanes: int) -> Iterator[LoopWork]:
    kernel = f"vec_mat_mul_result_acc_{kind}"
    yield turns(f"{kernel}.batch", runs)
    at_once = 4 if lanes else 2
    for piece, count in (("rows", runs * (units // at_once)), ("row", runs * (units % at_once))):
        yield turns(f"{kernel}.{piece}", count)
        if lanes:
            yield turns(f"{kernel}.{piece}_{lanes}", count * vector_trips(depth, lanes))
        else:
            yield from in_blocks(f"{kernel}.{piece}", count, depth, (4, 1))


def _cells(kind: str, calls: int, cells: int, units: int, *, is_mve: bool) -> Iterator[LoopWork]:
    """Activations of four gates and of the cells, and three products element by element."""
    yield turns("activation_s16.of", (GATES + 1) * cells)
    runs = cells / units
    if is_mve:
        yield turns(f"lstm_{kind}.products", runs * vector_trips(units, 4))
        yield turns(f"lstm_{kind}.clear", runs * vector_trips(units, 8))
        return
    yield from in_blocks(f"lstm_{kind}.products", runs, units, (2, 1))
    yield turns(f"lstm_{kind}.clear", cells)


UNIDIRECTIONAL_SEQUENCE_LSTM = count_lstm
