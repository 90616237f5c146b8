"""RESHAPE and its like: the same bytes elsewhere.

Source    tflite-micro `lite/micro/kernels/{reshape,expand_dims,squeeze}.cc`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.copies import one_copy


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        source = operand(context.input(node, 0))
        return (
            LoopWork(f"{name}.call", entries=1),
            LoopWork(f"{name}.dimension", trips=len(source.shape)),
            *one_copy(source.size * source.dtype.itemsize),
        )

    return count


RESHAPE = _count("reshape")
SQUEEZE = _count("squeeze")


def count_expand_dims(context: WorkContext, node: Node) -> Workload:
    """The loops of EXPAND_DIMS, which copies element by element."""
    source = operand(context.input(node, 0))
    kind = f"expand_dims_{source.type.name.lower()}"
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.element", trips=source.size),
    )


EXPAND_DIMS = count_expand_dims
