"""ADD and MUL of two tensors of one shape, four or two elements a turn.

Where shapes differ, and for floats and int32, the reference's kernels run.

Source    tflite-micro `micro/kernels/cmsis_nn/add.cc`, `mul.cc`; CMSIS-NN
          `Source/BasicMathFunctions/arm_elementwise_add_s8.c`, `arm_elementwise_add_s16.c`,
          `arm_elementwise_mul_s8.c`, `arm_elementwise_mul_s16.c`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, reference, turns

_LANES = 4
# Elements of one turn with DSP.
_AT_ONCE = {TensorType.INT8: 4, TensorType.INT16: 2}


def _count(operator: str, kernel: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        first, second = (operand(context.input(node, place)) for place in (0, 1))
        output = operand(context.output(node, 0))
        if output.type not in _AT_ONCE or first.shape != second.shape:
            return reference(operator)(context, node)
        kind = f"{kernel}_{'s8' if output.type is TensorType.INT8 else 's16'}"
        # Shapes are copied and compared before.
        call = LoopWork(f"{kind}.call", 1, len(output.shape))
        if MVE in context.extensions:
            return (call, turns(f"{kind}.vector", vector_trips(output.size, _LANES)))
        return (call, *in_blocks(f"{kind}.of", 1, output.size, (_AT_ONCE[output.type], 1)))

    return count


ADD = _count("ADD", "add")
MUL = _count("MUL", "mul")
