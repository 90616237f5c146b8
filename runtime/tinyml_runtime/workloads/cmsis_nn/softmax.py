"""SOFTMAX: a pass for the maximum, one for the sum of exponentials, one for the output.

Values far below the maximum have no exponential: how many, is known on average only. With MVE the
same plain loops run as with DSP, since GCC 12 fails at the vectors. Floats take the reference's.

Source    tflite-micro `micro/kernels/cmsis_nn/softmax.cc`, `kernels/internal/common.h`; CMSIS-NN
          `Source/SoftmaxFunctions/arm_nn_softmax_common_s8.c`, `arm_softmax_s16.c`
"""

from __future__ import annotations

from math import frexp

from tinyml_runtime.model.options import SoftmaxOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import once, reference, turns
from tinyml_runtime.workloads.exponentials import near_elements

_INTEGER_BITS = 5


def count_softmax(context: WorkContext, node: Node) -> Workload:
    """The loops of SOFTMAX."""
    source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
    if source.type not in (TensorType.INT8, TensorType.INT16):
        return reference("SOFTMAX")(context, node)
    rows = source.size // max(1, source.shape[-1])
    if source.type is TensorType.INT16:
        name = "softmax_s16"
        return (once(f"{name}.call"), turns(f"{name}.row", rows), turns(f"{name}.of", source.size))
    name = "softmax_s8" if output.type is TensorType.INT8 else "softmax_s8_s16"
    step = node.options_as(SoftmaxOptions).beta * source.scale
    near = near_elements(context, node, _input_radius(step))
    return (
        once(f"{name}.call"),
        turns(f"{name}.row", rows),
        turns(f"{name}.of", source.size),
        turns(f"{name}.exp", near),
    )


def _input_radius(step: float) -> float:
    """The largest difference from the maximum of which the exponential is taken."""
    _, exponent = frexp(min(step * 2.0 ** (31 - _INTEGER_BITS), 2.0**31 - 1))
    return (2.0**_INTEGER_BITS - 1) * 2.0 ** (31 - _INTEGER_BITS) / 2.0 ** max(0, exponent)


SOFTMAX = count_softmax
