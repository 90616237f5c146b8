"""CONCATENATION: rows of every input in turn.

Source    tflite-micro `lite/kernels/internal/reference/concatenation.h`,
          `lite/micro/kernels/concatenation.cc`
"""

from __future__ import annotations

from collections import defaultdict
from math import prod

from tinyml_runtime.model.options import ConcatenationOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.copies import WORD, aligned_by_offset, count_copies


def count_concatenation(context: WorkContext, node: Node) -> Workload:
    """The loops of CONCATENATION; every row of an input is copied to where the output has it."""
    output = operand(context.output(node, 0))
    rank = len(output.shape)
    axis = node.options_as(ConcatenationOptions).axis % max(1, rank)
    rows = prod(output.shape[:axis])
    size = output.dtype.itemsize
    total = prod(output.shape[axis:]) * size
    copies: defaultdict[tuple[int, bool], float] = defaultdict(float)
    before = 0
    for place in range(len(node.inputs)):
        length = prod(operand(context.input(node, place)).shape[axis:]) * size
        # Where rows lie repeats itself after so many of them.
        turns = min(rows, WORD)
        found = aligned_by_offset(
            length, ((turn * length, turn * total + before) for turn in range(turns))
        )
        for copy, times in found.items():
            copies[copy] += times * rows / max(1, turns)
        before += length
    return (
        LoopWork("concatenation.call", entries=1),
        LoopWork("concatenation.input", trips=len(node.inputs)),
        LoopWork("concatenation.dimension", trips=len(node.inputs) * rank),
        LoopWork("concatenation.row", trips=rows),
        LoopWork("concatenation.copy", trips=rows * len(node.inputs)),
        *count_copies(copies),
    )


CONCATENATION = count_concatenation
