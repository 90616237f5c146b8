"""Arithmetic of floats: software that stands for an FPU is done sooner where an operand is zero."""

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


def nonzero_sums(context: WorkContext, node: Node, kernel: str, sums: float) -> Workload:
    """Those of `sums` of floats, additions of elements of the first input, that do not add a zero.

    Adding is part of the kernel's loop, and its price the kernel's own.
    """
    if operand(context.input(node, INPUT)).type is not TensorType.FLOAT32:
        return ()
    return (LoopWork(f"{kernel}.sum", trips=sums * (1 - context.zero_share(node, INPUT))),)
