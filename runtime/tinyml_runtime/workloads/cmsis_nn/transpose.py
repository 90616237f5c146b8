"""TRANSPOSE of int8: element by element; two dimensions, and with MVE the last two of four, apart.

Other types take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/transpose.cc`; CMSIS-NN
          `Source/TransposeFunctions/arm_transpose_s8.c`
"""

from __future__ import annotations

from math import prod

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, once, reference, turns

INPUT, PERMUTATION = 0, 1
_MATRIX, _IMAGE = 2, 4
_LANES = 8


def count_transpose(context: WorkContext, node: Node) -> Workload:
    """The loops of TRANSPOSE."""
    source = operand(context.input(node, INPUT))
    if source.type is not TensorType.INT8:
        return reference("TRANSPOSE")(context, node)
    call = once("transpose_s8.call")
    shape, order = source.shape, context.input(node, PERMUTATION)
    is_mve = MVE in context.extensions
    keeps_rows = (
        order is not None and order.is_constant and order.values.ravel()[:2].tolist() == [0, 1]
    )
    if len(shape) == _MATRIX or (len(shape) == _IMAGE and is_mve and keeps_rows):
        return (call, *_turned(shape, is_mve=is_mve))
    return (
        call,
        turns("transpose_s8.plane", prod(shape[:-2])),
        turns("transpose_s8.line", prod(shape[:-1])),
        turns("transpose_s8.of", source.size),
    )


def _turned(shape: tuple[int, ...], *, is_mve: bool) -> Workload:
    """The last two dimensions change places."""
    images, rows, columns = prod(shape[:-2]), shape[-2], shape[-1]
    if is_mve:
        vectors = columns * vector_trips(rows, _LANES)
        return (
            turns("transpose_s8_nhcw.image", images if len(shape) > _MATRIX else 0),
            turns("transpose_s8_nhcw.column", images * columns),
            turns("transpose_s8_nhcw.vector", images * vectors),
        )
    lines = images * rows
    return (LoopWork("transpose_s8_nhcw.row", lines, lines * columns),)


TRANSPOSE = count_transpose
