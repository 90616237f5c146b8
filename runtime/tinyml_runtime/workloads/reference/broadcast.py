"""The loops of operators on two tensors, one of which may have to be repeated.

Source    tflite-micro `lite/kernels/internal/reference/broadcast_loop.h`,
          `reference/process_broadcast_shapes.h`
"""

from __future__ import annotations

from math import prod

from tinyml_runtime.workload import LoopWork, Workload

Shape = tuple[int, ...]


def broadcast_loops(kind: str, first: Shape, second: Shape, output: Shape) -> Workload:
    """One flat loop where the shapes are equal; a nest with neighbours joined where not."""
    size = prod(output)
    rank = max(len(first), len(second), len(output))
    call = (LoopWork(f"{kind}.call", entries=1), LoopWork(f"{kind}.dimension", trips=rank))
    first, second, output = (
        (1,) * (rank - len(shape)) + shape for shape in (first, second, output)
    )
    if first == second:
        return (*call, LoopWork(f"{kind}.element", trips=size))
    lengths, inner = _joined(first, second, output)
    calls = sum(prod(lengths[level:]) for level in range(1, len(lengths) + 1))
    return (
        *call,
        LoopWork(f"{kind}.broadcast", entries=1),
        LoopWork(f"{kind}.level", trips=calls),
        LoopWork(f"{kind}.{inner}", trips=size),
    )


def _joined(first: Shape, second: Shape, output: Shape) -> tuple[list[int], str]:
    """Lengths of the nest's loops, the inner one first, and which operand stands still there."""
    lengths: list[int] = []
    repeats: list[tuple[bool, bool]] = []
    for one, other, length in zip(first[::-1], second[::-1], output[::-1], strict=True):
        repeat = one == 1 and length != 1, other == 1 and length != 1
        if lengths and (length == 1 or repeat == repeats[-1]):
            lengths[-1] *= length
        else:
            lengths.append(length)
            repeats.append(repeat)
    names = {(True, False): "first_still", (False, True): "second_still"}
    return lengths, names.get(repeats[0], "both_move") if repeats else "both_move"
