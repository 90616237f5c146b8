"""AVERAGE_POOL_2D and MAX_POOL_2D: taps inside the image, over all channels at once.

Floats take the reference's kernels.

Source    tflite-micro `micro/kernels/cmsis_nn/pooling.cc`; CMSIS-NN
          `Source/PoolingFunctions/arm_avgpool_s8.c`, `arm_avgpool_s16.c`, `arm_max_pool_s8.c`,
          `arm_max_pool_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.arena_uses.windows import Windows, side
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import copies, usual_places, vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.inside import Inside, inside_of

_BYTES = {TensorType.INT8: 1, TensorType.INT16: 2}
_VECTOR_BYTES = 16
_WORD = 4


def count_average_pool(context: WorkContext, node: Node) -> Workload:
    """The loops of AVERAGE_POOL_2D."""
    kind, windows = pool_windows(context, node)
    if kind not in _BYTES:
        return reference("AVERAGE_POOL_2D")(context, node)
    kernel = f"avgpool_{'s8' if kind is TensorType.INT8 else 's16'}"
    inside = inside_of(windows)
    run = _average_mve if MVE in context.extensions else _average
    channels = windows.channels
    return (once(f"{kernel}.call"), *run(kernel, inside, windows.batch, channels, _BYTES[kind]))


def count_max_pool(context: WorkContext, node: Node) -> Workload:
    """The loops of MAX_POOL_2D."""
    kind, windows = pool_windows(context, node)
    if kind not in _BYTES:
        return reference("MAX_POOL_2D")(context, node)
    kernel = f"max_pool_{'s8' if kind is TensorType.INT8 else 's16'}"
    inside = inside_of(windows)
    run = _max_mve if MVE in context.extensions else _max
    channels = windows.channels
    return (once(f"{kernel}.call"), *run(kernel, inside, windows.batch, channels, _BYTES[kind]))


def pool_windows(context: WorkContext, node: Node) -> tuple[TensorType, Windows]:
    """The type of the input, and the windows over it."""
    options = node.options_as(Pool2DOptions)
    source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
    rows, columns = (
        side(source.shape[1 + axis], taps, stride, options.padding, 1, output.shape[1 + axis])
        for axis, taps, stride in (
            (0, options.filter_height, options.stride_h),
            (1, options.filter_width, options.stride_w),
        )
    )
    batch, channels = source.shape[0], source.shape[3]
    return source.type, Windows(batch, rows, columns, channels, channels, channels)


def _average(
    kernel: str, inside: Inside, batch: int, channels: int, _bytes: int
) -> Iterator[LoopWork]:
    pixels, taps = batch * inside.pixels, batch * inside.taps
    yield turns(f"{kernel}.pixel", pixels)
    yield turns(f"{kernel}.row", batch * inside.rows)
    yield LoopWork(f"{kernel}.first", pixels, pixels * channels)
    yield LoopWork(f"{kernel}.more", taps - pixels, (taps - pixels) * channels)
    yield turns(f"{kernel}.scale", pixels * channels)


def _average_mve(
    kernel: str, inside: Inside, batch: int, channels: int, element_bytes: int
) -> Iterator[LoopWork]:
    vectors = vector_trips(channels, _VECTOR_BYTES // element_bytes)
    yield turns(f"{kernel}.pixel", batch * inside.pixels)
    yield turns(f"{kernel}.vector", batch * inside.pixels * vectors)
    yield turns(f"{kernel}.row", batch * inside.rows * vectors)
    yield turns(f"{kernel}.tap", batch * inside.taps * vectors)


def _max(
    kernel: str, inside: Inside, batch: int, channels: int, element_bytes: int
) -> Iterator[LoopWork]:
    pixels, more = batch * inside.pixels, batch * (inside.taps - inside.pixels)
    blocks = (_WORD // element_bytes, 1)
    yield turns(f"{kernel}.pixel", pixels)
    yield turns(f"{kernel}.row", batch * inside.rows)
    length = channels * element_bytes
    yield from copies("patch_copy", length, usual_places(pixels, length))
    yield turns(f"{kernel}.more", more)
    yield from in_blocks(f"{kernel}.more", more, channels, blocks)
    yield once(f"{kernel}.clamp", batch)
    yield from in_blocks(f"{kernel}.clamp", batch, inside.pixels * channels, blocks)


def _max_mve(
    kernel: str, inside: Inside, batch: int, channels: int, element_bytes: int
) -> Iterator[LoopWork]:
    lanes = _VECTOR_BYTES // element_bytes
    vectors = vector_trips(channels, lanes)
    pixels, more = batch * inside.pixels, batch * (inside.taps - inside.pixels)
    yield turns(f"{kernel}.pixel", pixels)
    yield turns(f"{kernel}.row", batch * inside.rows)
    yield turns(f"{kernel}.copy", pixels * vector_trips(channels * element_bytes))
    yield LoopWork(f"{kernel}.more", more, more * vectors)
    yield LoopWork(f"{kernel}.clamp", batch, batch * vector_trips(inside.pixels * channels, lanes))


AVERAGE_POOL_2D = count_average_pool
MAX_POOL_2D = count_max_pool
