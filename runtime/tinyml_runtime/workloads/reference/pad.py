"""PAD: for every element of the output the question on which side of which edge it lies.

The questions are asked one after the other, from the outer axis to the inner one, until one says
that the element lies in the padding.

Source    tflite-micro `lite/kernels/internal/reference/pad.h`, `lite/micro/kernels/pad.cc`
"""

from __future__ import annotations

from math import prod

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand

INPUT, PADDINGS = 0, 1
OUTPUT = 0
_AXES = 5


def count_pad(context: WorkContext, node: Node) -> Workload:
    """The loops of PAD and PADV2, by the type of the elements."""
    source, output = operand(context.input(node, INPUT)), operand(context.output(node, OUTPUT))
    paddings = operand(context.input(node, PADDINGS))
    kind = f"pad_{source.type.name.lower()}"
    before = [0] * _AXES
    if paddings.is_constant:
        pairs = paddings.values.reshape(-1, 2).tolist()
        before[_AXES - len(pairs) :] = [int(first) for first, _ in pairs]
    inside = (1,) * (_AXES - len(source.shape)) + source.shape
    lengths = (1,) * (_AXES - len(output.shape)) + output.shape
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.row", trips=prod(lengths[:-1])),
        LoopWork(f"{kind}.copied", trips=source.size),
        LoopWork(f"{kind}.padded", trips=output.size - source.size),
        LoopWork(f"{kind}.question", trips=_questions(before, inside, lengths)),
    )


def _questions(before: list[int], inside: tuple[int, ...], lengths: tuple[int, ...]) -> int:
    """How many comparisons all elements of the padding take."""
    asked = 0
    for axis, first in enumerate(before):
        outer, inner = prod(inside[:axis]), prod(lengths[axis + 1 :])
        after = lengths[axis] - inside[axis] - first
        asked += outer * inner * (first * (2 * axis + 1) + after * (2 * axis + 2))
    return asked


PAD = PADV2 = count_pad
