"""BATCH_MATMUL: every row of the left side times the rows of the right, one of them turned before.

Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/batch_matmul.cc`; CMSIS-NN
          `Source/FullyConnectedFunctions/arm_batch_matmul_s8.c`, `arm_batch_matmul_s16.c`,
          `arm_vector_sum_s8.c`, `Source/NNSupportFunctions/arm_nn_vec_mat_mult_t_s16_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.model.options import BatchMatMulOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns

_LANES = {TensorType.INT8: 16, TensorType.INT16: 8}


def count_batch_matmul(context: WorkContext, node: Node) -> Workload:
    """The loops of BATCH_MATMUL."""
    left, right = (operand(context.input(node, place)) for place in (0, 1))
    output = operand(context.output(node, 0))
    if left.type not in _LANES:
        return reference("BATCH_MATMUL")(context, node)
    options = node.options_as(BatchMatMulOptions)
    kind = "s8" if left.type is TensorType.INT8 else "s16"
    depth = left.shape[-2 if options.adj_x else -1]
    rows, columns = output.shape[-2], output.shape[-1]
    products = output.size // max(1, rows * columns)
    turned = [left] * options.adj_x + [right] * (not options.adj_y and not right.is_constant)
    return (
        once(f"batch_matmul_{kind}.call"),
        turns(f"batch_matmul_{kind}.product", products),
        *_turned(kind, turned),
        *_rows(left, right, products * rows, columns, depth, is_mve=MVE in context.extensions),
        *_sums(left, products, columns, depth, is_mve=MVE in context.extensions),
    )


def _turned(kind: str, tensors: list[Tensor]) -> Iterator[LoopWork]:
    for tensor in tensors:
        yield LoopWork(f"batch_matmul_{kind}.turn", 1, tensor.size)


def _rows(
    left: Tensor, right: Tensor, rows: int, columns: int, depth: int, *, is_mve: bool
) -> Iterator[LoopWork]:
    """The product of FULLY_CONNECTED, row by row."""
    kernel, lanes = "vec_mat_mult_t_s16_s16", _LANES[left.type]
    if left.type is TensorType.INT8:
        kernel = "vec_mat_mult_t_s8_offset" if right.zero_point else "vec_mat_mult_t_s8"
        yield turns("batch_matmul_s8.row", rows)
    else:
        yield turns("batch_matmul_s16.row", rows)
    at_once = 4 if is_mve else 2
    for piece, runs in (("rows", rows * (columns // at_once)), ("row", rows * (columns % at_once))):
        yield turns(f"{kernel}.{piece}", runs)
        if is_mve:
            yield turns(f"{kernel}.{piece}_{lanes}", runs * vector_trips(depth, lanes))
        else:
            yield from in_blocks(f"{kernel}.{piece}", runs, depth, (4, 1))


def _sums(
    left: Tensor, products: int, columns: int, depth: int, *, is_mve: bool
) -> Iterator[LoopWork]:
    if is_mve and left.type is TensorType.INT8:
        yield turns("vector_sum_s8.row", products * columns)
        yield turns("vector_sum_s8.row_16", products * columns * vector_trips(depth))


BATCH_MATMUL = count_batch_matmul
