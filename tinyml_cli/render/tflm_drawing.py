"""A memory plan as TFLM draws it when it is built with TF_LITE_SHOW_MEMORY_USE.

A line for each buffer, then a row for each time, in which every buffer has a character: `*` for one
that is used at a single time, `!` where buffers overlap, `.` for what is free.

Source: tflite-micro `micro/memory_planner/greedy_memory_planner.cc`, PrintMemoryPlan
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase, digits

from tinyml_runtime.memory.planner import BufferRequest
from tinyml_runtime.planning.arena_plan import ArenaPlan

_COLUMNS = 80
_CHARACTERS = digits + ascii_lowercase + ascii_uppercase
_FREE, _ONE_TIME, _OVERLAP = ".", "*", "!"


def tflm_drawing(plan: ArenaPlan) -> str:
    """All lines of the drawing."""
    placed = list(zip((buffer.request for buffer in plan.buffers), plan.plan.offsets, strict=True))
    lines = [
        f"{_character(number, request)} (id={number}): size={request.bytes}, offset={offset}, "
        f"first_used={request.first_use} last_used={request.last_use}"
        for number, (request, offset) in enumerate(placed)
    ]
    end = max([_COLUMNS, *(offset + request.bytes for request, offset in placed)])
    last = max([0, *(request.last_use for request, _ in placed)])
    rows = [_row(placed, time, end) for time in range(last + 1)]
    return "\n".join([*lines, *rows])


def _character(number: int, request: BufferRequest) -> str:
    one_time = request.first_use == request.last_use
    return _ONE_TIME if one_time else _CHARACTERS[number % len(_CHARACTERS)]


def _row(placed: Sequence[tuple[BufferRequest, int]], time: int, end: int) -> str:
    cells = [_FREE] * _COLUMNS
    in_use = 0
    for number, (request, offset) in enumerate(placed):
        if not request.first_use <= time <= request.last_use:
            continue
        in_use += request.bytes
        begin = offset * _COLUMNS // end
        for column in range(begin, (offset + request.bytes) * _COLUMNS // end):
            free = cells[column] == _FREE
            cells[column] = _character(number, request) if free else _OVERLAP
    return f"{time:4}: {''.join(cells)} ({(in_use + 1023) // 1024}k)"
