"""FULLY_CONNECTED as CMSIS-NN runs it: int16 without zero points, and with one scale.

Source: tflite-micro `micro/kernels/cmsis_nn/fully_connected.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.kernels import fully_connected as reference
from tinyml_runtime.kernels.cmsis_nn.symmetric import check_symmetric
from tinyml_runtime.registration import Node, PrepareContext, check
from tinyml_runtime.types import TensorType


def prepare(context: PrepareContext, node: Node) -> reference.FullyConnectedData:
    """As the reference."""
    data = reference.prepare(context, node)
    source, weights = context.input(node, reference.INPUT), context.input(node, reference.WEIGHTS)
    check_symmetric(input=source, output=context.output(node, reference.OUTPUT))
    is_per_unit = weights.is_quantized and len(weights.quantization.scales) > 1
    check(
        source.type is not TensorType.INT16 or not is_per_unit,
        "!data->reference_op_data.is_per_channel || (data->reference_op_data.is_per_channel && "
        "input->type == kTfLiteInt8 && filter->type != kTfLiteInt4) was not true.",
        "int16 needs one scale for all weights with CMSIS-NN",
    )
    return data


FULLY_CONNECTED = replace(reference.FULLY_CONNECTED, prepare=prepare)
