"""STRIDED_SLICE: five loops, the inner one a copy where its stride is 1.

Source    tflite-micro `lite/kernels/internal/reference/strided_slice.h`
"""

from __future__ import annotations

from itertools import product
from math import prod

from tinyml_runtime.model.options import StridedSliceOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.copies import aligned_by_offset, count_copies

INPUT, BEGIN, END, STRIDES = range(4)
_MOST_ROWS = 4096


def count_strided_slice(context: WorkContext, node: Node) -> Workload:
    """The loops of STRIDED_SLICE; rows are copied, elements of another stride one by one."""
    source = operand(context.input(node, INPUT))
    kind = f"strided_slice_of_{source.dtype.itemsize}"
    axes = _taken(context, node, source)
    rows, row = axes[:-1], axes[-1] if axes else range(1)
    call = (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.dimension", trips=len(source.shape)),
        LoopWork(f"{kind}.plane", trips=prod(len(axis) for axis in rows[:-1])),
        LoopWork(f"{kind}.row", trips=prod(len(axis) for axis in rows)),
    )
    if row.step != 1:
        return (*call, LoopWork(f"{kind}.element", trips=prod(len(axis) for axis in axes)))
    return (*call, *_row_copies(source, rows, row))


def _taken(context: WorkContext, node: Node, source: Tensor) -> list[range]:
    """The indices that are taken along every axis."""
    options = node.options_as(StridedSliceOptions)
    begin, end, strides = (context.input(node, place) for place in (BEGIN, END, STRIDES))
    axes: list[range] = []
    for axis, length in enumerate(source.shape):
        bit = 1 << axis
        first = _value(begin, axis)
        last = _value(end, axis)
        step = _value(strides, axis) or 1
        if options.shrink_axis_mask & bit:
            start = (first or 0) % max(1, length)
            axes.append(range(start, start + 1))
            continue
        box = slice(
            None if options.begin_mask & bit else first,
            None if options.end_mask & bit else last,
            step,
        )
        axes.append(range(*box.indices(length)))
    return axes


def _value(tensor: Tensor | None, axis: int) -> int | None:
    if tensor is None or not tensor.is_constant or axis >= tensor.size:
        return None
    return int(tensor.values.reshape(-1)[axis])


def _row_copies(source: Tensor, rows: list[range], row: range) -> Workload:
    """Copies of rows, by where they lie; of many rows the first ones stand for all."""
    size = source.dtype.itemsize
    length = len(row) * size
    count = prod(len(axis) for axis in rows)
    if not length or not count:
        return ()
    strides = [prod(source.shape[axis + 1 :]) for axis in range(len(rows))]
    offsets: list[tuple[int, int]] = []
    for number, indices in enumerate(product(*rows)):
        if number == _MOST_ROWS:
            break
        start = sum(index * stride for index, stride in zip(indices, strides, strict=True))
        offsets.append(((start + row.start) * size, number * length))
    copies = aligned_by_offset(length, offsets)
    share = count / len(offsets)
    return count_copies({copy: times * share for copy, times in copies.items()})


STRIDED_SLICE = count_strided_slice
