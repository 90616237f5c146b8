"""BATCH_MATMUL as CMSIS-NN runs it: at most four dimensions.

Source: tflite-micro `micro/kernels/cmsis_nn/batch_matmul.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.kernels import batch_matmul as reference
from tinyml_runtime.registration import Node, PrepareContext, check

MAX_DIMENSIONS = 4


def prepare(context: PrepareContext, node: Node) -> reference.BatchMatMulData:
    """As the reference."""
    data = reference.prepare(context, node)
    for position, name in ((reference.LEFT, "lhs"), (reference.RIGHT, "rhs")):
        check(
            len(context.input(node, position).shape) <= MAX_DIMENSIONS,
            f"{name}_rank <= 4 was not true.",
            "reshape the operands to four dimensions for CMSIS-NN",
        )
    return data


BATCH_MATMUL = replace(reference.BATCH_MATMUL, prepare=prepare)
