"""Compressed constants: TFLM_DECODE's encodings, and the metadata of compressed models."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from tinyml_runtime.model.builder import TableBuilder, part, scalar
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.schema import Buffer, Metadata, Model
from tinyml_runtime.tensor import Array, dtype_of

LOOK_UP, HUFFMAN, PRUNE = 0, 1, 2


def pack(indices: Sequence[int] | Array, bits: int) -> bytes:
    """Indices of so many bits each, high bits first, as bytes."""
    text = "".join(f"{int(index):0{bits}b}" for index in np.asarray(indices).ravel())
    return bytes(int(text[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(text), 8))


def header(scheme: int, *, version: int = 1, scheme_version: int = 1, rest: bytes = b"") -> bytes:
    """The 16 bytes in front of ancillary data."""
    return (bytes([scheme, version, 0, 0, scheme_version]) + rest).ljust(16, b"\0")


def look_up(values: Array, bits: int, axis: int | None = None) -> tuple[bytes, bytes]:
    """Encoded and ancillary bytes for a tensor; with a table for each index along `axis`."""
    tables, indices = tables_of(values, axis)
    stride = max(len(table) for table in tables)
    padded = b"".join(np.resize(table, stride).tobytes() for table in tables)
    return pack(indices, bits), header(LOOK_UP, rest=bytes([bits, stride])) + padded


def tables_of(values: Array, axis: int | None = None) -> tuple[list[Array], Array]:
    """The different values, for all or for each index along `axis`, and every element's index."""
    if axis is None:
        table, indices = np.unique(values, return_inverse=True)
        return [table], indices.reshape(values.shape)
    parts = [tables_of(part) for part in np.moveaxis(values, axis, 0)]
    indices = np.stack([indices for _, indices in parts])
    return [tables[0] for tables, _ in parts], np.moveaxis(indices, 0, axis)


def prune(values: Array, zero_points: Array | int = 0) -> tuple[bytes, bytes]:
    """Encoded and ancillary bytes for a tensor in which many elements are at the zero point."""
    given = values != zero_points
    return pack(given.astype(int), 1), header(PRUNE) + values[given].tobytes()


def huffman(values: Array, first_bits: int, *, wide: bool) -> tuple[bytes, bytes]:
    """Encoded and ancillary bytes for a tensor; tables of 32 bits an entry if `wide`, else 16."""
    symbols = [int(value) for value in values.ravel()]
    codes = _codes(symbols)
    entries = _entries(codes, first_bits, 32 if wide else 16)
    text = "".join(codes[symbol] for symbol in symbols)
    # The decoder reads words of 32 bits.
    text = text.ljust(-(-len(text) // 32) * 32 + 32, "0")
    encoded = bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))
    params = bytes([(first_bits - 1) << 4 | wide])
    tables = np.array(entries, np.uint32 if wide else np.uint16).tobytes()
    return encoded, header(HUFFMAN, rest=params) + tables


def _codes(symbols: Sequence[int]) -> dict[int, str]:
    """A prefix code: the rarer a symbol, the longer."""
    numbers = count()
    heap = [(times, next(numbers), {symbol: ""}) for symbol, times in Counter(symbols).items()]
    if len(heap) == 1:
        return {symbol: "0" for symbol in heap[0][2]}
    heapq.heapify(heap)
    while len(heap) > 1:
        one, other = heapq.heappop(heap), heapq.heappop(heap)
        codes = {symbol: "0" + code for symbol, code in one[2].items()}
        codes.update({symbol: "1" + code for symbol, code in other[2].items()})
        heapq.heappush(heap, (one[0] + other[0], next(numbers), codes))
    return heap[0][2]


def _entries(codes: Mapping[int, str], first_bits: int, width: int) -> list[int]:
    """Tables one behind the other; longer codes go through an entry that leads to another table."""
    value_bits = width - 5
    entries: list[int] = [0] * (1 << first_bits)

    def fill(base: int, bits: int, part: Mapping[int, str]) -> None:
        for symbol, code in part.items():
            if len(code) <= bits:
                found = 1 << (width - 1) | len(code) << value_bits
                value = symbol & 0xFF if width == 16 else symbol & 0xFFFF
                for tail in range(1 << (bits - len(code))):
                    entries[base + int(code.ljust(bits, "0"), 2) + tail] = found | value
        for prefix in {code[:bits] for code in part.values() if len(code) > bits}:
            longer = {s: code[bits:] for s, code in part.items() if code.startswith(prefix)}
            next_bits = min(first_bits, max(len(code) for code in longer.values()))
            at, target = base + int(prefix, 2), len(entries)
            entries.extend([0] * (1 << next_bits))
            entries[at] = (next_bits - 1) << value_bits | (target - at)
            fill(target, next_bits, longer)

    fill(0, first_bits, codes)
    return entries


def compression_metadata(
    subgraphs: Sequence[Sequence[tuple[int, int, int]]], version: int = 1
) -> bytes:
    """COMPRESSION_METADATA with tensors (index, buffer of the values, bits) of every subgraph."""
    builder = TableBuilder()
    tables: list[int] = []
    for entries in subgraphs:
        tensors = [
            builder.table(scalar("i", tensor), scalar("I", buffer), scalar("B", bits))
            for tensor, buffer, bits in entries
        ]
        tables.append(builder.table(part(builder.tables(tensors))))
    root = builder.table(scalar("I", version, 1), part(builder.tables(tables)))
    return builder.finish(root, b"LUTS")


def compressed(model: Model, tensors: Mapping[int, int]) -> Model:
    """The model with these tensors of its main subgraph as indices of so many bits."""
    graph = model.subgraphs[0]
    buffers = list(model.buffers)
    entries: list[tuple[int, int, int]] = []
    infos = list(graph.tensors)
    for tensor, bits in tensors.items():
        info = infos[tensor]
        scales = info.quantization.scales if info.quantization else ()
        axis = info.quantization.dimension if info.quantization and len(scales) > 1 else None
        values = np.frombuffer(model.buffers[info.buffer].data, dtype_of(info.type))
        tables, indices = tables_of(values.reshape(info.shape), axis)
        stride = max(len(table) for table in tables)
        infos[tensor] = replace(info, buffer=len(buffers))
        buffers.append(Buffer(pack(indices, bits)))
        entries.append((tensor, len(buffers), bits))
        buffers.append(Buffer(b"".join(np.resize(table, stride).tobytes() for table in tables)))
    metadata = Metadata(COMPRESSION, len(buffers))
    buffers.append(Buffer(compression_metadata([entries])))
    return replace(
        model,
        subgraphs=(replace(graph, tensors=tuple(infos)), *model.subgraphs[1:]),
        buffers=tuple(buffers),
        metadata=(*model.metadata, metadata),
    )
