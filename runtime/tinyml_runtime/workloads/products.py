"""Products of floats: software that stands for an FPU is done sooner where an operand is zero."""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand

INPUT, WEIGHTS = 0, 1


def nonzero_products(context: WorkContext, node: Node, products: float) -> Workload:
    """Those of `products` of floats, each added to a sum, that have no zero among their operands.

    They are the same code whichever kernel has them.
    """
    if operand(context.input(node, INPUT)).type is not TensorType.FLOAT32:
        return ()
    shares = (context.zero_share(node, INPUT), context.zero_share(node, WEIGHTS))
    trips = products * (1 - shares[0]) * (1 - shares[1])
    return (LoopWork("float32.product", trips=trips),)
