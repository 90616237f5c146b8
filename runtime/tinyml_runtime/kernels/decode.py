"""TFLM_DECODE: compressed constants become tensors, by look-up table, pruning or Huffman code.

Shapes    any number of pairs: encoded bytes, ancillary bytes -> tensor of any shape
Types     look-up and pruning float32, int8, int16, int32, int64, bool; Huffman int8, int16
Units     the tensor's own; channels are those of its scales, along its first or last axis
Source    tflite-micro `micro/kernels/decode.cc`, `decode_state.h`, `decode_state_lut.cc`,
          `decode_state_prune.cc`, `decode_state_huffman.cc`

Ancillary bytes start with a header of 16: the scheme, the version, then what the scheme needs.
All inputs are constants, so `prepare` decodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.errors import NodeError
from tinyml_runtime.kernels.huffman import HuffmanTable
from tinyml_runtime.model.compression import MOST_BITS, VALUE_TYPES, LookUp, table_of
from tinyml_runtime.model.flatbuffer import Defect
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    always_stacks,
    check,
    check_constant,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

ENCODED, ANCILLARY = 0, 1
OPERANDS = 2

SCHEME, VERSION, SCHEME_VERSION = 0, 1, 4
LUT_PARAMS, LUT_STRIDE = 5, 6
HUFFMAN_PARAMS = 5
HEADER_BYTES = 16
LOOK_UP, HUFFMAN, PRUNE = 0, 1, 2
OWN_SCHEME = 127

# Their bytes are not kept as they are in the file.
_UNPACKED = (TensorType.BOOL, TensorType.INT4)


@dataclass(frozen=True, slots=True)
class DecodeData:
    """The decoded elements of every output, in their order."""

    decoded: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Channels:
    """How many channels a tensor has, along which axis, and their zero points."""

    count: int = 1
    along_last_axis: bool = False
    zero_points: tuple[int, ...] = (0,)


def prepare(context: PrepareContext, node: Node) -> DecodeData:
    """Decode every pair of inputs."""
    count = len(node.outputs)
    check(count > 0, "num_outputs > 0 was not true.")
    check(
        len(node.inputs) == OPERANDS * count,
        f"there are {len(node.inputs)} inputs for {count} outputs, not two for each",
    )
    try:
        return DecodeData(tuple(_decode(context, node, index) for index in range(count)))
    except Defect as defect:
        raise NodeError(defect.reason) from None


def evaluate(context: EvalContext, node: Node, data: DecodeData) -> None:
    """Store what was decoded, once for every sample."""
    for position, decoded in enumerate(data.decoded):
        if decoded.size:
            context.output(node, position).values.reshape(-1, decoded.size)[...] = decoded


def _decode(context: PrepareContext, node: Node, index: int) -> Array:
    encoded = _bytes(context.input(node, OPERANDS * index + ENCODED), f"input {2 * index}")
    ancillary = _bytes(context.input(node, OPERANDS * index + ANCILLARY), f"input {2 * index + 1}")
    output = context.output(node, index)
    check(ancillary.size >= HEADER_BYTES, f"the header of output {index} is too short")
    scheme, version = int(ancillary[SCHEME]), int(ancillary[VERSION])
    check(version == 1, f"version {version} != 1")
    check(scheme != OWN_SCHEME, "Custom decode type not yet supported")
    check(scheme in _SCHEMES, f"unsupported decode type {scheme}")
    version = int(ancillary[SCHEME_VERSION])
    check(version == 1, f"unsupported version {version}")
    return _SCHEMES[scheme](encoded, ancillary, output)


def _look_up(encoded: Array, ancillary: Array, output: Tensor) -> Array:
    _check_value_type(output)
    channels = _channels(output)
    look_up = LookUp(
        index_bits=int(ancillary[LUT_PARAMS]) & MOST_BITS,
        stride=int(ancillary[LUT_STRIDE]),
        channels=channels.count,
        along_last_axis=channels.along_last_axis,
    )
    table = table_of(ancillary[HEADER_BYTES:], output.type)
    return look_up.values(encoded, table, output.size)


def _prune(encoded: Array, ancillary: Array, output: Tensor) -> Array:
    """Bits say which elements have a value of their own; the others are at the zero point."""
    _check_value_type(output)
    count = output.size
    needed = (count + 7) // 8
    check(encoded.size >= needed, f"there are {encoded.size} bytes of bits, {needed} are needed")
    given = np.unpackbits(encoded[:needed], count=count).view(np.bool_)
    table = table_of(ancillary[HEADER_BYTES:], output.type)
    values = int(np.count_nonzero(given))
    check(values <= table.size, f"there are {table.size} values, {values} are needed")
    decoded = _zero_points(output)
    decoded[given] = table[:values]
    return decoded


def _zero_points(output: Tensor) -> Array:
    """The tensor with every element at its zero point."""
    channels = _channels(output)
    points = np.array(channels.zero_points)
    check(
        output.type is TensorType.INT8 or not points.any(),
        "All zero-points must be zero",
    )
    count = output.size
    check(
        count % channels.count == 0,
        f"{count} elements cannot be shared by {channels.count} channels",
    )
    each = count // channels.count
    spread = np.tile(points, each) if channels.along_last_axis else np.repeat(points, each)
    return spread.astype(output.dtype)


def _huffman(encoded: Array, ancillary: Array, output: Tensor) -> Array:
    params = int(ancillary[HUFFMAN_PARAMS])
    is_wide = bool(params & 1)
    allowed = (TensorType.INT8, TensorType.INT16) if is_wide else (TensorType.INT8,)
    check(output.type in allowed, f"unsupported tensor type {output.type.name}")
    entries = ancillary[HEADER_BYTES:]
    width = 4 if is_wide else 2
    entries = entries[: entries.size // width * width].view(f"<u{width}")
    table = HuffmanTable(entries.tolist(), 8 * width, first_bits=(params >> 4) + 1)
    symbols = table.decode(encoded.tobytes(), output.size)
    return np.array(symbols, np.int64).astype(output.dtype)


def _check_value_type(output: Tensor) -> None:
    check(output.type in VALUE_TYPES, f"unsupported tensor type {output.type.name}")


def _channels(output: Tensor) -> Channels:
    quantization = output.quantization
    if not quantization.scales or not quantization.zero_points:
        return Channels()
    count, axis = len(quantization.scales), quantization.dimension
    along_last = count > 1 and axis == len(output.shape) - 1
    check(along_last or axis == 0, f"unsupported quantization axis {axis}")
    points = quantization.zero_points
    return Channels(count, along_last, points if len(points) == count else points[:1] * count)


def _bytes(tensor: Tensor, role: str) -> Array:
    check_constant(tensor, role)
    check(tensor.type not in _UNPACKED, f"{role} is {tensor.type.name}; UINT8 is expected")
    return np.ascontiguousarray(tensor.values).reshape(-1).view(np.uint8)


_SCHEMES = {LOOK_UP: _look_up, HUFFMAN: _huffman, PRUNE: _prune}

DECODE = Registration("TFLM_DECODE", prepare, evaluate, always_stacks)
