"""FULLY_CONNECTED: for every output one dot product as long as a row of weights.

Source    tflite-micro `lite/kernels/internal/reference/integer_ops/fully_connected.h`,
          `reference/fully_connected.h`, `lite/micro/kernels/fully_connected.cc`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.products import nonzero_products
from tinyml_runtime.workloads.reference.int4 import unpack_loops

INPUT, WEIGHTS = 0, 1
OUTPUT = 0


def count_fully_connected(context: WorkContext, node: Node) -> Workload:
    """The loops of FULLY_CONNECTED; one scale per unit is other code than one scale for all."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    depth = weights.shape[-1]
    kind = f"fully_connected_{source.type.name.lower()}"
    if len(weights.quantization.scales) > 1:
        kind += "_per_channel"
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.batch", trips=output.size / max(1, output.shape[-1])),
        LoopWork(f"{kind}.depth", entries=output.size, trips=output.size * depth),
        *nonzero_products(context, node, output.size * depth),
        *unpack_loops(weights),
    )


FULLY_CONNECTED = count_fully_connected
