"""DEPTHWISE_CONV_2D: windows are clipped beforehand, channels or their multiples taken by fours.

Dilated windows, and types other than int8, are left to the reference.

Source    esp-nn `src/convolution/esp_nn_depthwise_conv_opt.c`,
          esp-tflite-micro `kernels/esp_nn/depthwise_conv.cc`
"""

from __future__ import annotations

from tinyml_runtime.model.options import DepthwiseConv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.reference.depthwise_conv import (
    count_depthwise_conv as count_reference,
)
from tinyml_runtime.workloads.windows import count_taps

INPUT, WEIGHTS = 0, 1
OUTPUT = 0
BLOCK = 4


def count_depthwise_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of DEPTHWISE_CONV_2D."""
    options = node.options_as(DepthwiseConv2DOptions)
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    is_dilated = options.dilation_w_factor != 1 or options.dilation_h_factor != 1
    if is_dilated or source.type is not TensorType.INT8 or weights.type is not TensorType.INT8:
        return count_reference(context, node)
    batch, height, width, outputs = output.shape
    rows = count_taps(
        source.shape[1], weights.shape[1], options.stride_h, 1, height, options.padding
    )
    columns = count_taps(
        source.shape[2], weights.shape[2], options.stride_w, 1, width, options.padding
    )
    channels = source.shape[3]
    multiplier = outputs // max(1, channels)
    kind, times, each = "esp_depthwise_conv", 1, channels
    if multiplier != 1:
        kind, times, each = "esp_depthwise_conv_multiplier", channels, multiplier
    blocks, rest = batch * times * (each // BLOCK), batch * times * (each % BLOCK)
    pixels = batch * height * width * times
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.pixel", trips=batch * height * width),
        LoopWork(f"{kind}.channel", trips=pixels),
        LoopWork(f"{kind}.block", pixels * (each >= BLOCK), blocks * height * width),
        LoopWork(f"{kind}.block_row", trips=blocks * width * rows.inside),
        LoopWork(f"{kind}.block_tap", trips=blocks * rows.inside * columns.inside),
        LoopWork(f"{kind}.rest", pixels * (each % BLOCK > 0), rest * height * width),
        LoopWork(f"{kind}.rest_row", trips=rest * width * rows.inside),
        LoopWork(f"{kind}.rest_tap", trips=rest * rows.inside * columns.inside),
    )


DEPTHWISE_CONV_2D = count_depthwise_conv
