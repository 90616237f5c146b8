"""Operators whose kernels of int8 are the library's own, and have not been counted.

For them stands a loop over the elements that they make, at an assumed price. Other types take the
reference's kernels.
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import reference
from tinyml_runtime.workloads.generic import count_made


def _count(operator: str, *own: TensorType) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        if operand(context.input(node, 0)).type in own:
            return count_made(context, node)
        return reference(operator)(context, node)

    return count


BATCH_MATMUL = _count("BATCH_MATMUL", TensorType.INT8, TensorType.INT16)
MAXIMUM = _count("MAXIMUM", TensorType.INT8)
MINIMUM = _count("MINIMUM", TensorType.INT8)
PAD = _count("PAD", TensorType.INT8)
PADV2 = _count("PADV2", TensorType.INT8)
TRANSPOSE = _count("TRANSPOSE", TensorType.INT8)
