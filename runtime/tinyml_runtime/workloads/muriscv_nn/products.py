"""Products of int8 and int16: a few rows of weights at a time, element by element.

Source    muriscv-nn `Source/NNSupportFunctions/muriscv_nn_mat_mult_nt_t_s8.c`,
          `muriscv_nn_vec_mat_mult_t_*.c`, `muriscv_nn_vec_mat_mul_result_acc_*.c`,
          `Source/ConvolutionFunctions/muriscv_nn_mat_mult_kernel_s8_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.cmsis_nn.counting import once, turns


def runs(loop: str, count: float, length: int) -> LoopWork:
    """`count` runs over `length` elements; none where nothing runs."""
    return LoopWork(loop, count, count * length)


def nt_t_s8(lhs_rows: int, rhs_rows: int, depth: int) -> Iterator[LoopWork]:
    """Two rows of weights at once, and two rows of inputs with each."""
    kernel = "muriscv_mat_mult_nt_t_s8"
    pairs = rhs_rows // 2
    yield once(f"{kernel}.call")
    yield runs(f"{kernel}.sum", pairs, depth)
    yield runs(f"{kernel}.square", pairs * (lhs_rows // 2), depth)
    yield runs(f"{kernel}.line", pairs * (lhs_rows % 2), depth)
    yield runs(f"{kernel}.single", (rhs_rows % 2) * lhs_rows, depth)


def kernel_s8_s16(filters: int, depth: int, times: float) -> Iterator[LoopWork]:
    """Two widened patches with four filters at once."""
    kernel = "muriscv_mat_mult_kernel_s8_s16"
    yield once(f"{kernel}.call", times)
    yield runs(f"{kernel}.four", times * (filters // 4), depth)
    yield runs(f"{kernel}.one", times * (filters % 4), depth)


def vectors(kernel: str, batches: float, rows: int, depth: int, at_once: int) -> Iterator[LoopWork]:
    """A vector times rows of weights, `at_once` of them together, then what is left."""
    yield turns(f"{kernel}.batch", batches)
    if at_once > 1:
        yield runs(f"{kernel}.rows", batches * (rows // at_once), depth)
    yield runs(f"{kernel}.row", batches * (rows % at_once if at_once > 1 else rows), depth)
