"""ADD and MUL of two tensors of one shape, element by element.

Where shapes differ, and for floats and int32, the reference's kernels run.

Source    tflite-micro `micro/kernels/cmsis_nn/add.cc`, `mul.cc`; muriscv-nn
          `Source/BasicMathFunctions/muriscv_nn_elementwise_add_s8.c`,
          `muriscv_nn_elementwise_add_s16.c`, `muriscv_nn_elementwise_mul_s8.c`,
          `muriscv_nn_elementwise_mul_s16.c`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import reference, turns
from tinyml_runtime.workloads.signs import negative_share

_KINDS = {TensorType.INT8: "s8", TensorType.INT16: "s16"}


def _count(operator: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        first, second = (operand(context.input(node, place)) for place in (0, 1))
        output = operand(context.output(node, 0))
        if output.type not in _KINDS or first.shape != second.shape:
            return reference(operator)(context, node)
        kernel = f"muriscv_{operator.lower()}_{_KINDS[output.type]}"
        one, other = (negative_share(context, node, place) for place in (0, 1))
        # What is rescaled, operands or their product, costs something else if negative.
        share = one + other if operator == "ADD" else one * (1 - other) + other * (1 - one)
        return (
            # Shapes are copied and compared before.
            LoopWork(f"{kernel}.call", 1, len(output.shape)),
            turns(f"{kernel}.element", output.size),
            turns(f"{kernel}.negative", output.size * share),
        )

    return count


ADD = _count("ADD")
MUL = _count("MUL")
