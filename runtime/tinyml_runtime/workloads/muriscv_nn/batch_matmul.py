"""BATCH_MATMUL: of int8 and int16 the library's own kernels, which nobody has counted.

For them stands a loop over the elements that they make, at an assumed price. Floats take the
reference's kernel.
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import reference
from tinyml_runtime.workloads.generic import count_made


def count_batch_matmul(context: WorkContext, node: Node) -> Workload:
    """The loops of BATCH_MATMUL."""
    if operand(context.input(node, 0)).type is TensorType.FLOAT32:
        return reference("BATCH_MATMUL")(context, node)
    return count_made(context, node)


BATCH_MATMUL = count_batch_matmul
