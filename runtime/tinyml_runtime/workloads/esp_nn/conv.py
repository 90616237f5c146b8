"""CONV_2D: as the reference, but windows are clipped beforehand and channels taken by fours.

A kernel of one tap has code of its own, and so have groups. Dilated windows, and types other than
int8, are left to the reference.

Source    esp-nn `src/convolution/esp_nn_conv_opt.c`, `esp_nn_conv_ansi.c`,
          esp-tflite-micro `kernels/esp_nn/conv.cc`
"""

from __future__ import annotations

from tinyml_runtime.model.options import Conv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.reference.conv import count_conv as count_reference
from tinyml_runtime.workloads.windows import count_taps

INPUT, WEIGHTS = 0, 1
OUTPUT = 0
BLOCK = 4


def count_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of CONV_2D."""
    options = node.options_as(Conv2DOptions)
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    is_dilated = options.dilation_w_factor != 1 or options.dilation_h_factor != 1
    if is_dilated or source.type is not TensorType.INT8 or weights.type is not TensorType.INT8:
        return count_reference(context, node)
    batch, height, width, filters = output.shape
    _, taps_high, taps_wide, depth = weights.shape
    rows = count_taps(source.shape[1], taps_high, options.stride_h, 1, height, options.padding)
    columns = count_taps(source.shape[2], taps_wide, options.stride_w, 1, width, options.padding)
    inside = batch * filters * rows.inside * columns.inside
    kind = "esp_conv"
    if depth != source.shape[3]:
        kind = "esp_conv_groups"
    elif taps_high == taps_wide == 1:
        kind, inside = "esp_conv_1x1", output.size
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.pixel", trips=batch * height * width),
        LoopWork(f"{kind}.output", trips=output.size),
        LoopWork(f"{kind}.row", trips=batch * filters * width * rows.inside),
        LoopWork(f"{kind}.tap", trips=inside),
        LoopWork(f"{kind}.block", inside * (depth >= BLOCK), inside * (depth // BLOCK)),
        LoopWork(f"{kind}.rest", inside * (depth % BLOCK > 0), inside * (depth % BLOCK)),
    )


CONV_2D = count_conv
