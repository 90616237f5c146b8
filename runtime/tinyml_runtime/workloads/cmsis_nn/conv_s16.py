"""CONV_2D of int16: patches are copied and multiplied, two or, with MVE, four at a time.

A bias of 64 bits is added in 64 bits; beyond a depth of 512 the sum is kept in 64 bits, too.

Source    CMSIS-NN `Source/ConvolutionFunctions/arm_convolve_s16.c`, `arm_nn_mat_mult_kernel_s16.c`,
          `Source/NNSupportFunctions/arm_nn_mat_mult_nt_t_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.arena_uses.windows import Windows
from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.cmsis_nn.copying import copies, fills, vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, turns
from tinyml_runtime.workloads.cmsis_nn.patches import patches_of

_BYTES = 2
_KEPT, _KEPT_MVE = 2, 4
_LANES, _LANES_WIDE = 8, 4
# MAX_COL_COUNT: products that a sum of 32 bits holds.
_NARROW_DEPTH = 512


def convolve_s16(
    windows: Windows, extensions: frozenset[str], *, is_wide: bool
) -> Iterator[LoopWork]:
    """The loops of a convolution of int16; `is_wide` tells a bias of 64 bits, or none."""
    is_mve = MVE in extensions
    kept = _KEPT_MVE if is_mve else _KEPT
    patches, depth = patches_of(windows, _BYTES, kept), windows.taps * windows.channels
    batch, bias = windows.batch, "s64" if is_wide else "s32"
    yield once(f"conv_s16_{bias}.call")
    yield turns("convolve_s16.patch", batch * patches.count)
    yield turns("convolve_s16.row", batch * patches.rows)
    yield turns("convolve_s16.tap", batch * patches.taps)
    length = windows.depth * _BYTES
    if is_mve:
        inside, outside = batch * patches.inside, batch * patches.outside
        yield LoopWork("convolve_s16.copy", inside, inside * vector_trips(length))
        yield LoopWork("convolve_s16.fill", outside, outside * vector_trips(length))
        yield from _products_mve(bias, patches.count, windows.filters, depth, batch)
        return
    yield from copies("patch_copy", length, patches.places, batch)
    yield from fills("patch_fill", batch * patches.outside, length)
    yield from _products(bias, patches.count, windows.filters, depth, batch)


def _products(bias: str, patches: int, filters: int, depth: int, batch: int) -> Iterator[LoopWork]:
    pairs, rest = divmod(patches, _KEPT)
    fast = min(depth, _NARROW_DEPTH) if bias == "s64" else depth
    yield once("mat_mult_kernel_s16.call", batch * pairs)
    runs = {
        "mat_mult_kernel_s16.pair": (batch * pairs * (filters // 2), fast),
        "mat_mult_kernel_s16.single": (batch * pairs * (filters % 2), fast),
        # The last patch is summed in 32 bits whatever its depth.
        "convolve_s16.last": (batch * rest * filters, depth),
    }
    for piece, (count, length) in runs.items():
        yield turns(f"{piece}_{bias}", count)
        yield from in_blocks(piece, count, length, (4, 1))
        yield turns(f"{piece}_slow", count * (depth - length))


def _products_mve(
    bias: str, patches: int, filters: int, depth: int, batch: int
) -> Iterator[LoopWork]:
    kernel = "mat_mult_nt_t_s16"
    fours, rest = divmod(patches, _KEPT_MVE)
    fast = min(depth, _NARROW_DEPTH) if bias == "s64" else depth
    yield once(f"{kernel}.call", batch * (fours + bool(rest)))
    four, one = batch * fours * filters, batch * rest * filters
    yield turns(f"{kernel}.four_{bias}", four)
    yield turns(f"{kernel}.four_8", four * vector_trips(fast, _LANES))
    yield turns(f"{kernel}.four_slow", four * (depth - fast))
    yield once(f"{kernel}.row", batch * rest)
    yield turns(f"{kernel}.one_{bias}", one)
    yield turns(f"{kernel}.one_4", one * vector_trips(fast, _LANES_WIDE))
    yield turns(f"{kernel}.one_slow", one * (depth - fast))
    if bias == "s32":
        yield turns(f"{kernel}.scale_4", batch * rest * (filters // 4))
        yield turns(f"{kernel}.scale_1", batch * rest * (filters % 4))
