"""ADD as CMSIS-NN runs it: int16 without zero points.

Source: tflite-micro `micro/kernels/cmsis_nn/add.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.kernels import arithmetic as reference
from tinyml_runtime.kernels.broadcast import BroadcastData
from tinyml_runtime.kernels.cmsis_nn.symmetric import check_symmetric
from tinyml_runtime.registration import Node, PrepareContext


def prepare_add(context: PrepareContext, node: Node) -> BroadcastData:
    """As the reference."""
    data = reference.prepare_add(context, node)
    check_symmetric(
        input1=context.input(node, 0),
        input2=context.input(node, 1),
        output=context.output(node, 0),
    )
    return data


ADD = replace(reference.ADD, prepare=prepare_add)
