"""SVDF: features of the new input, weighted over time in a state that moves by one.

Source    tflite-micro `lite/micro/kernels/svdf_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand

INPUT, FEATURES, TIME = 0, 1, 2


def count_svdf(context: WorkContext, node: Node) -> Workload:
    """The loops of SVDF, by the type of the state."""
    source, features, time = (
        operand(context.input(node, place)) for place in (INPUT, FEATURES, TIME)
    )
    batch, depth = source.shape[0], source.shape[1]
    filters = batch * features.shape[0]
    rank = max(1, node.options_as(SVDFOptions).rank)
    kind = f"svdf_{time.type.name.lower()}"
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.filter", trips=filters),
        LoopWork(f"{kind}.depth", trips=filters * depth),
        LoopWork(f"{kind}.memory", trips=filters * time.shape[1]),
        LoopWork(f"{kind}.unit", trips=filters / rank),
    )


SVDF = count_svdf
