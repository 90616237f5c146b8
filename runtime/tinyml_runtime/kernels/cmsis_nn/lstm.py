"""UNIDIRECTIONAL_SEQUENCE_LSTM as CMSIS-NN runs it: weights and biases are constants.

Source: tflite-micro `micro/kernels/cmsis_nn/unidirectional_sequence_lstm.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.kernels import lstm as reference
from tinyml_runtime.registration import Node, PrepareContext, check

_WEIGHTS = *reference.INPUT_WEIGHTS, *reference.RECURRENT_WEIGHTS, *reference.BIASES


def prepare(context: PrepareContext, node: Node) -> reference.LstmData:
    """As the reference."""
    data = reference.prepare(context, node)
    check(
        all(context.input(node, position).is_constant for position in _WEIGHTS),
        "IsConstantTensor(lstm_tensors.GetInternalTensor(i)) was not true.",
        "store weights and biases in the model for CMSIS-NN",
    )
    return data


UNIDIRECTIONAL_SEQUENCE_LSTM = replace(reference.UNIDIRECTIONAL_SEQUENCE_LSTM, prepare=prepare)
