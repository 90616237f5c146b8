"""PAD and PADV2 of int8: rows are copied, and what lies between them filled.

Other types take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/pad.cc`; CMSIS-NN `Source/PadFunctions/arm_pad_s8.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import copies, fills, usual_places, vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, once, reference, turns

INPUT, PADDINGS = 0, 1
_RANK = 4
Padding4 = tuple[tuple[int, int], ...]


def _count(operator: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        source, paddings = operand(context.input(node, INPUT)), context.input(node, PADDINGS)
        if source.type is not TensorType.INT8 or paddings is None or len(source.shape) > _RANK:
            return reference(operator)(context, node)
        shape = (1,) * (_RANK - len(source.shape)) + source.shape
        pairs: Padding4 = ((0, 0),) * _RANK
        if paddings.is_constant:
            given = [(int(before), int(after)) for before, after in paddings.values.tolist()]
            pairs = (*pairs[len(given) :], *given)
        return (*_pad(shape, pairs, is_mve=MVE in context.extensions),)

    return count


def _pad(shape: tuple[int, ...], pairs: Padding4, *, is_mve: bool) -> Iterator[LoopWork]:
    batch, height, width, channels = shape
    sizes = [before + size + after for size, (before, after) in zip(shape, pairs, strict=True)]
    lines, is_padded = batch * height, pairs[3] != (0, 0)
    yield once("pad_s8.call")
    yield turns("pad_s8.batch", batch)
    yield turns("pad_s8.line", lines)
    runs, length = (lines * width, channels) if is_padded else (lines, width * channels)
    yield turns("pad_s8.pixel", runs if is_padded else 0)
    filled: list[tuple[int, int]] = []
    units = (sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1)
    counts = (1, batch, lines, runs if is_padded else 0)
    for unit, count, pair in zip(units, counts, pairs, strict=True):
        filled += [(count, unit * amount) for amount in pair]
    if is_mve:
        yield turns("pad_s8.copy", runs * vector_trips(length))
        yield turns("pad_s8.fill", sum(count * vector_trips(size) for count, size in filled))
        return
    yield from copies("patch_copy", length, usual_places(runs, length))
    for count, size in filled:
        yield from fills("patch_fill", count, size)


PAD = _count("PAD")
PADV2 = _count("PADV2")
