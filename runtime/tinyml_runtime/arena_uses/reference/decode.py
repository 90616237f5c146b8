"""TFLM_DECODE: a state for every output, by the scheme of its ancillary bytes.

Source: tflite-micro `micro/kernels/decode.cc`, `decode_state.cc`, `decode_state_prune.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor

LOOK_UP, HUFFMAN, PRUNE = 0, 1, 2

_STATES = {LOOK_UP: "DecodeStateLut", HUFFMAN: "DecodeStateHuffman", PRUNE: "DecodeStatePrune"}
# Which part of the output a new state reads: dimension of the scales, type, zero points.
_READS = {
    LOOK_UP: "TfLiteAffineQuantization",
    HUFFMAN: "TfLiteTensor",
    PRUNE: "TfLiteIntArray",
}


def _prepare(arena: ArenaContext, node: Node) -> None:
    arena.persistent(len(node.outputs) * arena.abi.pointer.bytes, "operator data")
    for index in range(len(node.outputs)):
        arena.temporary_input(node, 2 * index)
        ancillary = arena.temporary_input(node, 2 * index + 1)
        output = arena.temporary_output(node, index)
        if ancillary is None or output is None:
            continue
        scheme = int(ancillary.values.reshape(-1).view("u1")[0])
        arena.reads_again(_READS[scheme])
        arena.struct(_STATES[scheme])
        if scheme == PRUNE:
            _zero_points(arena, output)


def _zero_points(arena: ArenaContext, output: Tensor) -> None:
    """A byte for every channel, if zero points are not all zero."""
    points = output.quantization.zero_points
    if output.is_quantized and len(points) > 1 and any(points):
        arena.persistent(len(points), "zero points")


DECODE = ArenaUse(prepare=_prepare)
