"""UNIDIRECTIONAL_SEQUENCE_LSTM: products of the four gates, then the cells, step by step.

Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/unidirectional_sequence_lstm.cc`; muriscv-nn
          `Source/LSTMFunctions/muriscv_nn_lstm_unidirectional_s8.c`, `..._s16.c`,
          `Source/NNSupportFunctions/muriscv_nn_lstm_step_s8.c`, `muriscv_nn_lstm_step_s16.c`,
          `muriscv_nn_vec_mat_mul_result_acc_s8_s16.c`, `muriscv_nn_vec_mat_mul_result_acc_s16.c`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload
from tinyml_runtime.workloads.cmsis_nn.counting import once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.lstm import GATES, lstm_sequence, scaled_down
from tinyml_runtime.workloads.muriscv_nn.products import vectors

_KINDS = {TensorType.INT8: "s8", TensorType.INT16: "s16"}
_AT_ONCE = 3


def count_lstm(context: WorkContext, node: Node) -> Workload:
    """The loops of UNIDIRECTIONAL_SEQUENCE_LSTM."""
    sequence = lstm_sequence(context, node)
    if sequence.type not in _KINDS:
        return reference("UNIDIRECTIONAL_SEQUENCE_LSTM")(context, node)
    kind, steps, batch = _KINDS[sequence.type], sequence.steps, sequence.batch
    units, depth = sequence.units, sequence.depth
    kernel = f"muriscv_vec_mat_mul_result_acc_{kind}"
    # The hidden state is left out before the first step.
    return (
        once(f"muriscv_lstm_{kind}.call"),
        turns(f"muriscv_lstm_{kind}.step", sequence.calls),
        turns(f"muriscv_lstm_{kind}.no_state", sequence.calls // max(1, steps)),
        *vectors(kernel, GATES * steps * batch, units, depth, _AT_ONCE),
        *vectors(kernel, GATES * (steps - 1) * batch, units, units, _AT_ONCE),
        turns(f"{kernel}.rounding", batch * units * scaled_down(context, node, steps)),
        turns(f"muriscv_lstm_{kind}.cell", steps * batch * units),
    )


UNIDIRECTIONAL_SEQUENCE_LSTM = count_lstm
