"""Operators on every element of one tensor alone.

What an element costs may depend on its value; that is a mean then.

Source    tflite-micro `lite/micro/kernels/{leaky_relu,logistic,tanh,quantize,dequantize,cast,
          activations,hard_swish,elementwise,...}.cc`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.signs import negative_share


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
        kind = f"{name}_{source.type.name.lower()}"
        if output.type is not source.type:
            kind += f"_{output.type.name.lower()}"
        return (
            LoopWork(f"{kind}.call", entries=1),
            LoopWork(f"{kind}.dimension", trips=len(source.shape)),
            LoopWork(f"{kind}.element", trips=output.size),
        )

    return count


def count_leaky_relu(context: WorkContext, node: Node) -> Workload:
    """The loops of LEAKY_RELU, which scales negative elements otherwise than the others."""
    source = operand(context.input(node, 0))
    negative = source.size * negative_share(context, node, 0)
    kind = f"leaky_relu_{source.type.name.lower()}"
    return (*_count("leaky_relu")(context, node), LoopWork(f"{kind}.negative", trips=negative))


LEAKY_RELU = count_leaky_relu
RELU = _count("relu")
RELU6 = _count("relu6")
HARD_SWISH = _count("hard_swish")
ELU = _count("elu")
QUANTIZE = _count("quantize")
DEQUANTIZE = _count("dequantize")
CAST = _count("cast")
ABS = _count("abs")
NEG = _count("neg")
EXP = _count("exp")
LOG = _count("log")
SIN = COS = _count("sine")
SQRT = _count("sqrt")
RSQRT = _count("rsqrt")
SQUARE = _count("square")
