"""Products of matrices of int8, the second transposed: rows by rows.

Source    CMSIS-NN `Source/NNSupportFunctions/arm_nn_mat_mult_nt_t_s8.c`,
          `Source/ConvolutionFunctions/arm_nn_mat_mult_kernel_s8_s16.c`,
          `arm_nn_mat_mult_kernel_row_offset_s8_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import in_blocks, once, turns


def nt_t_s8(lhs_rows: int, rhs_rows: int, depth: int, times: float = 1) -> Iterator[LoopWork]:
    """With DSP: two rows of weights at once, and two rows of inputs with each."""
    kernel = "mat_mult_nt_t_s8"
    pairs = times * (rhs_rows // 2)
    yield once(f"{kernel}.call", times)
    yield once(f"{kernel}.weights", pairs)
    yield turns(f"{kernel}.sum", pairs * depth)
    blocks = (16, 4, 1)
    squares = pairs * (lhs_rows // 2)
    yield turns(f"{kernel}.square", squares)
    yield from in_blocks(f"{kernel}.square", squares, depth, blocks)
    lines = pairs * (lhs_rows % 2)
    yield turns(f"{kernel}.line", lines)
    yield from in_blocks(f"{kernel}.line", lines, depth, blocks)
    singles = times * (rhs_rows % 2) * lhs_rows
    yield turns(f"{kernel}.single", singles)
    yield turns(f"{kernel}.single_1", singles * depth)


def nt_t_s8_mve(lhs_rows: int, rhs_rows: int, depth: int, times: float = 1) -> Iterator[LoopWork]:
    """With MVE: four rows of inputs at once, sixteen elements of each at a time."""
    kernel = "mat_mult_nt_t_s8"
    vectors = vector_trips(depth)
    fours, rest = divmod(lhs_rows, 4)
    yield once(f"{kernel}.call", times)
    yield once(f"{kernel}.four_rows", times * fours)
    yield turns(f"{kernel}.four", times * fours * rhs_rows)
    yield turns(f"{kernel}.four_16", times * fours * rhs_rows * vectors)
    yield once(f"{kernel}.row", times * rest)
    yield turns(f"{kernel}.one", times * rest * rhs_rows)
    yield turns(f"{kernel}.one_16", times * rest * rhs_rows * vectors)
    yield turns(f"{kernel}.scale_4", times * rest * (rhs_rows // 4))
    yield turns(f"{kernel}.scale_1", times * rest * (rhs_rows % 4))


def kernel_s8_s16(kernel: str, filters: int, depth: int, times: float) -> Iterator[LoopWork]:
    """With DSP: two widened patches with two filters at once."""
    yield once(f"{kernel}.call", times)
    pairs, rest = times * (filters // 2), times * (filters % 2)
    for piece, runs in (("pair", pairs), ("single", rest)):
        yield turns(f"{kernel}.{piece}", runs)
        yield from in_blocks(f"{kernel}.{piece}", runs, depth, (4, 1))
