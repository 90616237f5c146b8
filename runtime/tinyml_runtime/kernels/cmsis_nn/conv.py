"""CONV_2D as CMSIS-NN runs it: int16 without zero points.

Source: tflite-micro `micro/kernels/cmsis_nn/conv.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.kernels import conv as reference
from tinyml_runtime.kernels.cmsis_nn.symmetric import check_symmetric
from tinyml_runtime.registration import Node, PrepareContext


def prepare(context: PrepareContext, node: Node) -> reference.ConvData:
    """As the reference."""
    data = reference.prepare(context, node)
    check_symmetric(
        input=context.input(node, reference.INPUT), output=context.output(node, reference.OUTPUT)
    )
    return data


CONV_2D = replace(reference.CONV_2D, prepare=prepare)
