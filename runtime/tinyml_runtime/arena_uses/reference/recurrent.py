"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM: room for what is computed in one step of time.

Source: tflite-micro `micro/kernels/svdf_common.cc`, `unidirectional_sequence_lstm.cc`,
`lstm_eval.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse
from tinyml_runtime.model.options import SVDFOptions, UnidirectionalSequenceLSTMOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT = 0
FEATURE_WEIGHTS = 1
HIDDEN_STATE, CELL_STATE = 18, 19
LSTM_INPUTS, LSTM_BUFFERS = 24, 4
BYTES_PER_SUM = 4


def _prepare_svdf(arena: ArenaContext, node: Node) -> None:
    source, weights = arena.input(node, INPUT), arena.input(node, FEATURE_WEIGHTS)
    if source is None or weights is None:
        return
    batch, filters = source.shape[0], weights.shape[0]
    arena.scratch(batch * filters * BYTES_PER_SUM)
    if source.type is TensorType.INT8:
        units = filters // node.options_as(SVDFOptions).rank
        arena.scratch(batch * units * BYTES_PER_SUM)


def _prepare_lstm(arena: ArenaContext, node: Node) -> None:
    source = arena.input(node, INPUT)
    hidden, cell = arena.input(node, HIDDEN_STATE), arena.input(node, CELL_STATE)
    if source is None or hidden is None or cell is None:
        return
    options = node.options_as(UnidirectionalSequenceLSTMOptions)
    batch, units = source.shape[1 if options.time_major else 0], hidden.shape[1]
    for _ in range(LSTM_BUFFERS):
        arena.scratch(batch * units * cell.dtype.itemsize)


SVDF = ArenaUse("OpDataSvdf", "i0 i1 i2 i3 i4 o0", prepare=_prepare_svdf)
UNIDIRECTIONAL_SEQUENCE_LSTM = ArenaUse(
    "OpDataLSTM",
    " ".join([*(f"i{position}" for position in range(LSTM_INPUTS)), "o0"]),
    prepare=_prepare_lstm,
)
