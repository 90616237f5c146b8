"""UNIDIRECTIONAL_SEQUENCE_LSTM: four gates in every step, each two products with a matrix.

Source    tflite-micro `lite/micro/kernels/lstm_eval.h`, `lstm_eval.cc`
"""

from __future__ import annotations

from tinyml_runtime.model.options import UnidirectionalSequenceLSTMOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.products import nonzero_products

INPUT = 0
RECURRENT_WEIGHTS = 5
_GATES = 4


def count_lstm(context: WorkContext, node: Node) -> Workload:
    """The loops of UNIDIRECTIONAL_SEQUENCE_LSTM, by the type of the input."""
    source = operand(context.input(node, INPUT))
    units = operand(context.input(node, RECURRENT_WEIGHTS)).shape[1]
    batch_steps, depth = source.shape[0] * source.shape[1], source.shape[2]
    batch, steps = source.shape[0], batch_steps
    if node.options_as(UnidirectionalSequenceLSTMOptions).time_major:
        steps, batch = source.shape[:2]
    # The state is zero before the first step, as after a reset.
    nonzero = batch_steps * (depth + units) - batch * units
    kind = f"lstm_{source.type.name.lower()}"
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.step", trips=steps),
        LoopWork(f"{kind}.unit", trips=batch_steps * units),
        LoopWork(f"{kind}.depth", trips=batch_steps * _GATES * units * (depth + units)),
        *nonzero_products(context, node, _GATES * units * nonzero),
    )


UNIDIRECTIONAL_SEQUENCE_LSTM = count_lstm
