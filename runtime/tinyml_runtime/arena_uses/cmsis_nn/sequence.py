"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM of CMSIS-NN: sums of weights are made once.

Source: tflite-micro `micro/kernels/cmsis_nn/svdf.cc`, `unidirectional_sequence_lstm.cc`,
`micro/kernels/lstm_eval.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.arena_uses.cmsis_nn.buffer_sizes import svdf_s8
from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT = 0
WEIGHTS_FEATURE = 1
HIDDEN_STATE, CELL_STATE = 18, 19

_ELEMENT_BYTES = 4
_LSTM_OPERANDS = " ".join([*(f"i{position}" for position in range(24)), "o0"])
# Of four gates, the weights of input and of hidden state.
_LSTM_SUMS = 8
# Bytes of a sum, by type of the activations.
_SUM_BYTES = {TensorType.INT8: 4, TensorType.INT16: 8}


def _prepare_svdf(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 i1 i2 i3 i4 o0")
    source, weights = arena.input(node, INPUT), arena.input(node, WEIGHTS_FEATURE)
    if source is None or weights is None:
        return
    batch, filters = source.shape[0], weights.shape[0]
    arena.scratch(batch * filters * _ELEMENT_BYTES)
    if source.type is not TensorType.INT8:
        return
    units = filters // node.options_as(SVDFOptions).rank
    arena.scratch(batch * units * _ELEMENT_BYTES)
    sums = svdf_s8(filters, arena.extensions)
    if sums:
        arena.persistent(sums, "sums of weights")


def _prepare_lstm(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, _LSTM_OPERANDS)
    source, cell = arena.input(node, INPUT), arena.input(node, CELL_STATE)
    hidden = arena.input(node, HIDDEN_STATE)
    if source is None or hidden is None or cell is None:
        return
    buffers = 4
    if source.type in _SUM_BYTES:
        buffers = 3
        for _ in range(_LSTM_SUMS):
            arena.persistent(hidden.shape[1] * _SUM_BYTES[source.type], "sums of weights")
    for _ in range(buffers):
        arena.scratch(cell.size * cell.dtype.itemsize)


SVDF = ArenaUse("CmsisNnOpDataSvdf", prepare=_prepare_svdf)
UNIDIRECTIONAL_SEQUENCE_LSTM = ArenaUse(
    "cmsis_nn/unidirectional_sequence_lstm.OpData", prepare=_prepare_lstm
)
