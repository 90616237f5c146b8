"""The memory plan that a model may carry itself: its metadata OfflineMemoryAllocation.

The metadata's buffer holds 32-bit integers: a version and a subgraph, which TFLM ignores, the
number of tensors of all subgraphs, and for each tensor its offset in the arena, or -1 where TFLM
shall find a place.

Source: tflite-micro `micro/micro_allocation_info.cc`, GetOfflinePlannedOffsets
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tinyml_runtime.errors import ModelError
from tinyml_runtime.model.schema import Model

METADATA = "OfflineMemoryAllocation"
PLANNED_AT_RUN_TIME = -1
VERSION = 1
_HEADER_INTEGERS = 3


def has_offline_plan(model: Model) -> bool:
    """Whether the model carries a plan."""
    return any(entry.name == METADATA for entry in model.metadata)


def offline_offsets(model: Model) -> list[list[int | None]]:
    """The offset of every tensor by subgraph and index; None where TFLM finds one.

    Raises:
        ModelError: the plan is for another number of tensors, or is cut off, or has an offset below
            -1. Where several entries have the name, the last one counts, as in TFLM.
    """
    counts = [len(graph.tensors) for graph in model.subgraphs]
    offsets: list[int | None] = [None] * sum(counts)
    for entry in model.metadata:
        if entry.name == METADATA:
            offsets = _read(model, bytes(model.buffers[entry.buffer].data), sum(counts))
    parts: list[list[int | None]] = []
    for count in counts:
        parts.append(offsets[:count])
        offsets = offsets[count:]
    return parts


def _read(model: Model, data: bytes, tensors: int) -> list[int | None]:
    place = f"metadata {METADATA}"
    held = len(data) // 4
    if held < _HEADER_INTEGERS:
        raise ModelError(model.source, place, f"{len(data)} bytes are no memory plan")
    numbers = struct.unpack(f"<{held}i", data[: 4 * held])
    count = numbers[2]
    if count != tensors:
        reason = (
            f"Nbr of offline buffer offsets ({count}) in metadata not equal nbr tensors ({tensors})"
        )
        raise ModelError(model.source, place, reason)
    if held - _HEADER_INTEGERS < count:
        reason = f"it holds {held - _HEADER_INTEGERS} offsets of {count}"
        raise ModelError(model.source, place, reason)
    offsets = numbers[_HEADER_INTEGERS : _HEADER_INTEGERS + count]
    for index, offset in enumerate(offsets):
        if offset < PLANNED_AT_RUN_TIME:
            raise ModelError(model.source, place, f"offset {offset} of tensor {index} is negative")
    return [None if offset == PLANNED_AT_RUN_TIME else offset for offset in offsets]


def encode(offsets: Sequence[int | None]) -> bytes:
    """The metadata's buffer for the offsets of all tensors of all subgraphs, in order."""
    numbers = [PLANNED_AT_RUN_TIME if offset is None else offset for offset in offsets]
    return struct.pack(f"<{len(numbers) + 3}i", VERSION, 0, len(numbers), *numbers)
