"""BATCH_MATMUL: a dot product for every output, of operands that are transposed before.

Source    tflite-micro `lite/kernels/internal/reference/batch_matmul.h`,
          `lite/micro/kernels/batch_matmul.cc`, `batch_matmul_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.model.options import BatchMatMulOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.products import nonzero_products
from tinyml_runtime.workloads.reference.transpose import transpose_loops


def count_batch_matmul(context: WorkContext, node: Node) -> Workload:
    """The loops of BATCH_MATMUL; a constant is transposed in the first invocation only."""
    left, right = (operand(context.input(node, place)) for place in (0, 1))
    output = operand(context.output(node, 0))
    options = node.options_as(BatchMatMulOptions)
    depth = left.shape[-2 if options.adj_x else -1]
    turned = [left] * options.adj_x + [right] * (not options.adj_y and not right.is_constant)
    kind = f"batch_matmul_{left.type.name.lower()}"
    columns = output.size // max(1, output.shape[-2])
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.turn", trips=len(turned)),
        *(loop for tensor in turned for loop in _turned(tensor)),
        LoopWork(f"{kind}.column", trips=columns),
        LoopWork(f"{kind}.depth", entries=output.size, trips=output.size * depth),
        *nonzero_products(context, node, output.size * depth),
    )


def _turned(tensor: Tensor) -> Workload:
    *outer, rows, columns = tensor.shape
    return transpose_loops((*outer, columns, rows), tensor.dtype.itemsize)


BATCH_MATMUL = count_batch_matmul
