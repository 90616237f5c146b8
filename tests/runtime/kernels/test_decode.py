"""TFLM_DECODE: look-up tables, pruning and Huffman codes, by hand and beside TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.encodings import HUFFMAN, LOOK_UP, PRUNE, header, huffman, look_up, pack, prune
from tests.support.graphs import Call, Graph, loaded, model_of, prepared
from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_same,
    constant,
    fed,
    needs_tflm,
    run_ours,
    run_tflm,
)
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.model.options import AddOptions, FullyConnectedOptions
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

DECODE = "TFLM_DECODE"
SCALAR_TYPES = ("int8", "int16", "int32", "int64", "float32", "bool")


def _raw(data: bytes) -> Operand:
    return constant(np.frombuffer(data, np.uint8))


def like(values: Array, zero_points: tuple[int, ...] = (), axis: int = 0) -> Operand:
    """An output for these values; quantized where zero points are given."""
    plain = fed(values.shape, values.dtype)
    scales = (0.5,) * len(zero_points)
    return Operand(plain.shape, plain.type, None, scales, zero_points, axis)


def decoding(encoding: tuple[bytes, bytes], output: Operand) -> SingleOp:
    """One pair of inputs, one output."""
    return SingleOp(DECODE, [_raw(part) for part in encoding], [output])


def _result(encoding: tuple[bytes, bytes], output: Operand) -> Any:
    (values,) = run_ours(loaded(decoding(encoding, output).model()), [])
    return values.tolist()


def test_a_look_up_table_gives_the_values_for_indices() -> None:
    # Indices 2, 0, 3, 1 of 2 bits: 10 00 11 01
    ancillary = header(LOOK_UP, rest=bytes([2, 4])) + bytes([5, 6, 7, 8])
    assert _result((bytes([0b10001101]), ancillary), fed((2, 2), np.int8)) == [[7, 5], [8, 6]]


def test_channels_of_the_first_axis_have_tables_of_their_own() -> None:
    ancillary = header(LOOK_UP, rest=bytes([1, 2])) + bytes([1, 2, 3, 4])
    output = like(np.zeros((2, 3), np.int8), (0, 0), axis=0)
    assert _result((bytes([0b01101100]), ancillary), output) == [[1, 2, 2], [3, 4, 4]]


def test_channels_of_the_last_axis_have_tables_of_their_own() -> None:
    ancillary = header(LOOK_UP, rest=bytes([1, 2])) + bytes([1, 2, 3, 4, 5, 6])
    output = like(np.zeros((2, 3), np.int8), (0, 0, 0), axis=1)
    assert _result((bytes([0b01101100]), ancillary), output) == [[1, 4, 6], [1, 4, 6]]


def test_indices_without_bits_are_zero() -> None:
    ancillary = header(LOOK_UP, rest=bytes([0, 2])) + bytes([9, 2])
    assert _result((b"\xff", ancillary), fed((3,), np.int8)) == [9, 9, 9]


def test_pruned_elements_are_zero() -> None:
    ancillary = header(PRUNE) + np.array([300, -2], np.int16).tobytes()
    assert _result((bytes([0b01010000]), ancillary), fed((5,), np.int16)) == [0, 300, 0, -2, 0]


def test_pruned_elements_are_at_the_zero_point_of_their_channel() -> None:
    ancillary = header(PRUNE) + bytes([1, 2])
    output = like(np.zeros((2, 2), np.int8), (-5, 7), axis=0)
    assert _result((bytes([0b10010000]), ancillary), output) == [[1, -5], [7, 2]]
    output = like(np.zeros((2, 2), np.int8), (-5, 7), axis=1)
    assert _result((bytes([0b10010000]), ancillary), output) == [[1, 7], [-5, 2]]


def test_a_huffman_code_may_go_through_several_tables() -> None:
    # Codes 0 -> 10, 10 -> 20, 11 -> 30. The first table reads one bit: a symbol whose code has one,
    # or the way to the second table, one entry further on, in which one more bit is read.
    found = 0x8000 | 1 << 11
    entries = [found | 10, 0 << 11 | 1, found | 20, found | 30]
    ancillary = header(HUFFMAN, rest=b"\0") + np.array(entries, np.uint16).tobytes()
    # 11 0 10 10 0
    encoded = bytes([0b11010100, 0, 0, 0])
    assert _result((encoded, ancillary), fed((5,), np.int8)) == [30, 10, 20, 20, 10]


def test_bits_behind_a_short_huffman_code_belong_to_the_next() -> None:
    # A table for two bits at once: 0? -> -1, 10 -> -2, 11 -> -3
    short, long = 0x80000000 | 1 << 27, 0x80000000 | 2 << 27
    entries = [short | 0xFFFF, short | 0xFFFF, long | 0xFFFE, long | 0xFFFD]
    ancillary = header(HUFFMAN, rest=b"\x11") + np.array(entries, np.uint32).tobytes()
    # 0 11 0 0 10
    encoded = bytes([0b01100100, 0, 0, 0])
    assert _result((encoded, ancillary), fed((5,), np.int16)) == [-1, -3, -1, -1, -2]


def test_decodes_several_tensors_at_once() -> None:
    first, second = np.arange(6, dtype=np.int16).reshape(2, 3), np.array([0.0, 1.5], np.float32)
    inputs = [_raw(part) for part in (*look_up(first, 3), *prune(second))]
    case = SingleOp(DECODE, inputs, [like(first), like(second)])
    ours = run_ours(case.model(), [])
    assert_same(ours, [first, second])


def decoded_weights() -> Model:
    """A fully connected layer whose weights are decoded first, and its sum with a constant."""
    generator = np.random.default_rng(0)
    weights = generator.integers(-4, 4, (3, 8)).astype(np.int8)
    encoded, ancillary = look_up(weights, 3)
    tensors = {
        "x": fed((2, 8), np.int8, 0.5, 3),
        "encoded": _raw(encoded),
        "ancillary": _raw(ancillary),
        "weights": like(weights, (0,)),
        "y": fed((2, 3), np.int8, 1.0, -2),
        "z": fed((2, 3), np.int8, 1.0, -2),
    }
    calls = [
        Call(DECODE, ["encoded", "ancillary"], ["weights"]),
        Call(BuiltinOperator.FULLY_CONNECTED, ["x", "weights"], ["y"], FullyConnectedOptions()),
        Call(BuiltinOperator.ADD, ["y", "y"], ["z"], AddOptions()),
    ]
    return model_of(Graph(tensors, ["x"], ["z"], calls))


@needs_tflm
@pytest.mark.oracle
def test_a_layer_with_decoded_weights_is_that_of_tflm() -> None:
    model = decoded_weights()
    feeds = [np.random.default_rng(1).integers(-128, 128, (2, 8)).astype(np.int8)]
    assert_same(run_ours(loaded(model), feeds), run_tflm(model, feeds))


def test_a_batch_for_a_model_with_decoded_weights_is_right() -> None:
    model = decoded_weights()
    samples = np.random.default_rng(1).integers(-128, 128, (5, 2, 8)).astype(np.int8)
    (together,) = prepared(model).invoke_batch([samples])
    for sample, outputs in zip(samples, together, strict=True):
        assert_same([outputs], run_ours(model, [sample]))


def _few_values(shape: tuple[int, ...], kind: str, bits: int) -> Array:
    generator = np.random.default_rng(bits)
    table: Array = (generator.standard_normal(1 << bits) * 100).astype(kind)
    return table[generator.integers(0, 1 << bits, shape)]


LOOK_UPS = [
    *((kind, bits, (3, 5, 7), None) for kind in SCALAR_TYPES for bits in (1, 3, 7)),
    *(("int8", bits, (70, 3), axis) for bits in (2, 3, 4, 6) for axis in (None, 0, 1)),
    *((kind, 4, (2, 3, 4), axis) for kind in ("int16", "float32") for axis in (0, 2)),
    ("int8", 4, (8,), 0),
    ("int8", 5, (1,), None),
]


def _look_up_case(kind: str, bits: int, shape: tuple[int, ...], axis: int | None) -> Any:
    values = _few_values(shape, kind, bits)
    points = () if axis is None else (0,) * shape[axis]
    return values, decoding(look_up(values, bits, axis), like(values, points, axis or 0))


def _prune_case(kind: str, points: tuple[int, ...], shape: tuple[int, ...], axis: int) -> Any:
    generator = np.random.default_rng(0)
    values = (generator.standard_normal(shape) * 50).astype(kind)
    at_zero = generator.random(shape) < 0.6
    dimensions = [-1 if index == axis else 1 for index in range(len(shape))]
    zero = np.array(points or (0,)).astype(kind).reshape(dimensions)
    values = np.where(at_zero, zero, values)
    return values, decoding(prune(values, zero), like(values, points, axis))


PRUNED = [
    *((kind, (), (3, 5, 7), 0) for kind in SCALAR_TYPES),
    ("int8", (-128,), (4, 4), 0),
    ("int8", (1, 2, 3), (3, 5, 2), 0),
    ("int8", (1, 2, 127), (4, 5, 3), 2),
    ("int8", (0, 0, 0), (4, 5, 3), 2),
    ("int16", (0, 0), (2, 9), 0),
]


def _huffman_case(kind: str, spread: float, first_bits: int, wide: bool) -> Any:
    values = (np.random.default_rng(0).standard_normal((9, 31)) * spread).astype(kind)
    return values, decoding(huffman(values, first_bits, wide=wide), like(values))


HUFFMANS = [
    ("int8", 30.0, 5, False),
    ("int8", 30.0, 1, False),
    ("int8", 3.0, 3, False),
    ("int8", 3.0, 8, True),
    ("int8", 0.1, 2, False),
    ("int16", 300.0, 6, True),
    ("int16", 3.0, 16, True),
]

CASES = [
    *((f"look-up {case}", _look_up_case(*case)) for case in LOOK_UPS),
    *((f"prune {case}", _prune_case(*case)) for case in PRUNED),
    *((f"huffman {case}", _huffman_case(*case)) for case in HUFFMANS),
]


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_gives_back_what_was_encoded(case: tuple[Array, SingleOp]) -> None:
    values, operator = case
    assert_same(run_ours(operator.model(), []), [values])


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_tflm_decodes_the_same(case: tuple[Array, SingleOp]) -> None:
    values, operator = case
    assert_same(run_tflm(operator.model(), []), [values])


_BYTE = fed((4,), np.int8)
_LUT = header(LOOK_UP, rest=bytes([2, 4]))
_CODE = header(HUFFMAN, rest=b"\0")
_LEAF = np.array([0x8801, 0x8802], np.uint16).tobytes()


def _turn(*entries: int) -> bytes:
    return _CODE + np.array(entries, np.uint16).tobytes()


REFUSED = [
    ((b"\0", header(LOOK_UP, version=2)), _BYTE, "version 2 != 1"),
    ((b"\0", header(LOOK_UP, scheme_version=9)), _BYTE, "unsupported version 9"),
    ((b"\0", header(127)), _BYTE, "Custom decode type not yet supported"),
    ((b"\0", header(3)), _BYTE, "unsupported decode type 3"),
    ((b"\0", bytes(15)), _BYTE, "the header of output 0 is too short"),
    ((b"\0", _LUT + bytes(4)), fed((4,), np.uint8), "unsupported tensor type UINT8"),
    ((b"\0", _LUT + bytes(4)), fed((5,), np.int8), "there are 1 bytes of indices, 2 are needed"),
    ((b"\3", _LUT + bytes(3)), _BYTE, "an index asks for value 3, there are 3"),
    (
        (b"\3", _LUT + bytes(4)),
        like(np.zeros((1, 2, 2), np.int8), (0, 0), 1),
        "quantization axis 1",
    ),
    ((b"\3", _LUT + bytes(4)), like(np.zeros((2, 2), np.int8), (0,), 1), "quantization axis 1"),
    ((b"\0", header(PRUNE)), fed((9,), np.int8), "there are 1 bytes of bits, 2 are needed"),
    ((b"\3", header(PRUNE) + b"\1"), fed((8,), np.int8), "there are 1 values, 2 are needed"),
    ((b"\0", header(PRUNE)), fed((4,), np.uint8), "unsupported tensor type UINT8"),
    ((b"\0", header(PRUNE)), like(np.zeros(2, np.int16), (1,)), "All zero-points must be zero"),
    ((b"\0", header(PRUNE)), like(np.zeros((1, 1, 3), np.int8), (1,), 2), "quantization axis 2"),
    ((bytes(4), _CODE + _LEAF), fed((4,), np.int16), "unsupported tensor type INT16"),
    ((bytes(4), header(HUFFMAN, rest=b"\1")), fed((4,), np.int32), "unsupported tensor type INT32"),
    ((bytes(4), _CODE), _BYTE, "a code leads to entry 0, there are 0"),
    ((bytes(4), _turn(0, 0)), _BYTE, "the codes end early"),
    ((bytes(4), _turn(2047, 2047)), _BYTE, "a code leads to entry 2047, there are 2"),
    ((bytes(4), _CODE + _LEAF), fed((33,), np.int8), "4 bytes cannot hold 33 codes"),
]


@pytest.mark.parametrize(("encoding", "output", "reason"), REFUSED)
def test_refuses_what_cannot_be_decoded(
    encoding: tuple[bytes, bytes], output: Operand, reason: str
) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(decoding(encoding, output).model())


def test_codes_must_not_end_behind_their_bytes() -> None:
    # Every code has two bits, of which one byte holds four.
    two_bits = np.array([0x9001] * 4, np.uint16).tobytes()
    encoding = (b"\0", header(HUFFMAN, rest=b"\x10") + two_bits)
    with pytest.raises(UnsupportedModelError, match="the codes end early"):
        prepared(decoding(encoding, fed((5,), np.int8)).model())


OPERANDS: list[tuple[list[Operand], list[Operand], str]] = [
    ([_raw(b"\0")], [_BYTE], "there are 1 inputs for 1 outputs, not two for each"),
    ([], [], "num_outputs > 0 was not true"),
    ([fed((1,), np.uint8), _raw(_LUT)], [_BYTE], "input 0 must be a constant"),
    ([_raw(b"\0"), fed((20,), np.uint8)], [_BYTE], "input 1 must be a constant"),
    (
        [constant(np.zeros(4, np.int8), kind=TensorType.INT4), _raw(_LUT)],
        [_BYTE],
        "input 0 is INT4; UINT8 is expected",
    ),
]


@pytest.mark.parametrize(("inputs", "outputs", "reason"), OPERANDS)
def test_refuses_other_operands(inputs: list[Operand], outputs: list[Operand], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(SingleOp(DECODE, inputs, outputs).model())


def test_packs_indices_from_the_high_bits_on() -> None:
    # As in the format's description: 3-bit fields 7, 0, 3, 2 are 111 000 011 010.
    assert pack([7, 0, 3, 2], 3) == bytes([0b11100001, 0b10100000])
