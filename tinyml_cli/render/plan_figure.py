"""An arena over time as a figure: operators from left to right, bytes from bottom to top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyml_cli.planning.report import PlanReport
from tinyml_cli.render.figure import (
    GREY,
    PALE,
    RED,
    Anchor,
    Box,
    Figure,
    Line,
    Shape,
    Words,
    text_width,
)
from tinyml_cli.render.palette import colours
from tinyml_cli.render.plan_attribution import buffer_name, place, short_name
from tinyml_cli.render.units import bytes_text, number, size_text
from tinyml_runtime.memory.lifetimes import Step
from tinyml_runtime.memory.planner import ALIGNMENT_BYTES
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.timeline import Moment, column_of, timeline

_LEFT, _RIGHT, _TOP, _TAIL_HEIGHT, _PLOT_HEIGHT = 92, 28, 84, 30, 460
_USUAL_WIDTH, _LARGEST_WIDTH, _WIDEST_COLUMN, _LEAST_COLUMN = 1000, 6000, 220, 15
_SMALL, _LABEL, _TITLE = 10, 11, 16
_MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a time and a byte of the arena are in the figure."""

    plan: ArenaPlan
    steps: Sequence[Step]
    column: float

    @property
    def width(self) -> float:
        return self.column * max(len(self.steps), 1)

    @property
    def bottom(self) -> float:
        return _TOP + _TAIL_HEIGHT + _PLOT_HEIGHT

    @property
    def bytes(self) -> int:
        """Those of the planned part: the rest would leave no room for it in many models."""
        return max(self.plan.plan.bytes, 1)

    def x(self, column: int) -> float:
        return _LEFT + column * self.column

    def y(self, byte: int) -> float:
        return self.bottom - byte * _PLOT_HEIGHT / self.bytes


def plan_figure(report: PlanReport, plan: ArenaPlan) -> Figure:
    """The figure of `plan`, which belongs to `report`."""
    count = max(len(plan.steps), 1)
    column = min(_WIDEST_COLUMN, max(_LEAST_COLUMN, _USUAL_WIDTH / count))
    plot = _Plot(plan, plan.steps, min(column, _LARGEST_WIDTH / count))
    moments = timeline(plan.buffers, plan.steps)
    names = [_step_name(plan, step) for step in plan.steps]
    margin = text_width(max(names, key=len, default=""), _SMALL) + 40
    title, subtitle = _titles(report, plan)
    width = max(_LEFT + plot.width + _RIGHT, _LEFT + text_width(subtitle, _LABEL))
    shapes: list[Shape] = [
        Words(_LEFT, 26, title, _TITLE),
        Words(_LEFT, 44, subtitle, _LABEL, colour=GREY),
        *_scale(plot),
        *_persistent(plot),
        *_buffers(plot),
        *_use(plot, moments),
        *_operators(plot, names),
    ]
    return Figure(round(width), round(plot.bottom + margin), title, shapes)


def _titles(report: PlanReport, plan: ArenaPlan) -> tuple[str, str]:
    profile = plan.profile
    core = f", {profile.core}" if profile.core else ""
    return (
        f"{report.model.path}: tensor arena of {bytes_text(plan.arena.recommended_bytes)}",
        f"TFLM {profile.abi.tflm}, {plan.library} kernels, {profile.abi.name}{core}, "
        f"{plan.planner} planner; {plan.arena.min_bytes:,} bytes are the fewest that work",
    )


def _scale(plot: _Plot) -> Iterator[Shape]:
    """The axis of bytes, with a line across at each tick."""
    total = plot.bytes
    step = 1
    while total // step > _MOST_TICKS:
        step *= 2
    right = plot.x(0) + plot.width
    for tick in range(0, total + 1, step):
        y = plot.y(tick)
        yield Line(((_LEFT - 4, y), (right, y)), PALE)
        yield Words(_LEFT - 8, y + 4, size_text(tick), _LABEL, Anchor.END)
    middle = plot.bottom - _PLOT_HEIGHT / 2
    yield Words(20, middle, "offset in the arena", _LABEL, Anchor.MIDDLE, True, GREY)
    yield Line(((_LEFT, plot.y(total)), (_LEFT, plot.bottom), (right, plot.bottom)))


def _persistent(plot: _Plot) -> Iterator[Shape]:
    """What stays, and what is needed only for a while: above the planned part, not to scale."""
    arena = plot.plan.arena
    between = arena.recommended_bytes - arena.persistent_bytes - plot.plan.plan.bytes
    name = f"persistent part (tail): {bytes_text(arena.persistent_bytes)}, not to scale"
    if between >= ALIGNMENT_BYTES:
        name = f"{bytes_text(between)} needed while allocating only; {name}"
    yield Box(_LEFT, _TOP, plot.width, _TAIL_HEIGHT, PALE, GREY, name)
    size = min(_LABEL, plot.width / text_width(name, 1))
    x, y = _LEFT + plot.width / 2, _TOP + _TAIL_HEIGHT / 2 + 4
    yield Words(x, y, name, size, Anchor.MIDDLE, colour=GREY)


def _buffers(plot: _Plot) -> Iterator[Shape]:
    """A rectangle for each buffer, named where there is room."""
    plan = plot.plan
    fills = colours(plan.buffers)
    for buffer, offset, fill in zip(plan.buffers, plan.plan.offsets, fills, strict=True):
        request = buffer.request
        if request.last_use < 0:
            continue
        first, last = (column_of(plan.steps, t) for t in (request.first_use, request.last_use))
        x, y = plot.x(first), plot.y(offset + request.bytes)
        width, height = plot.x(last + 1) - x, plot.y(offset) - y
        title = (
            f"{buffer_name(buffer, plan)}\n{bytes_text(buffer.bytes)} at offset {number(offset)}\n"
            f"in use from {_time_name(plan, request.first_use)} "
            f"to {_time_name(plan, request.last_use)}"
        )
        yield Box(x, y, width, height, fill, title=title)
        yield from _name_in(x, y, width, height, short_name(buffer), number(buffer.bytes))


def _name_in(x: float, y: float, width: float, height: float, *lines: str) -> Iterator[Shape]:
    """The name and the size in the middle of a box; turned, shortened or left out if need be."""
    longest = text_width(max(lines, key=len), _SMALL)
    middle_x, middle_y = x + width / 2, y + height / 2 + 4
    if longest < width and height > 2 * _LABEL + 4:
        yield Words(middle_x, middle_y - 6, lines[0], _SMALL, Anchor.MIDDLE)
        yield Words(middle_x, middle_y + 6, lines[1], _SMALL, Anchor.MIDDLE)
    elif longest < width and height > _LABEL:
        yield Words(middle_x, middle_y, lines[0], _SMALL, Anchor.MIDDLE)
    elif text_width(", ".join(lines), _SMALL) < height and width > _LABEL + 2:
        yield Words(
            middle_x + 4, y + height / 2, ", ".join(lines), _SMALL, Anchor.MIDDLE, turned=True
        )


def _use(plot: _Plot, moments: Sequence[Moment]) -> Iterator[Shape]:
    """How much is in use from step to step, and where that is most."""
    points: list[tuple[float, float]] = []
    for column, moment in enumerate(moments):
        y = plot.y(moment.bytes)
        points += [(plot.x(column), y), (plot.x(column + 1), y)]
    yield Line(points, RED, 1.5)
    peak = max(range(len(moments)), key=lambda column: moments[column].bytes)
    where = f" at {_step_name(plot.plan, moments[peak].step)}" if plot.steps else ""
    text = f"bytes in use, at most {bytes_text(moments[peak].bytes)}{where}"
    yield Line(((_LEFT, 64), (_LEFT + 22, 64)), RED, 1.5)
    yield Words(_LEFT + 28, 68, text, _LABEL, colour=RED)
    base = plot.bottom + 3
    yield Line(((plot.x(peak), base), (plot.x(peak + 1), base)), RED, 4)


def _operators(plot: _Plot, names: Sequence[str]) -> Iterator[Shape]:
    """The axis of operators: as many names as there is room for."""
    every = max(1, -(-_LEAST_COLUMN // max(int(plot.column), 1)))
    for column, name in enumerate(names):
        if column % every == 0:
            x = plot.x(column) + plot.column / 2
            yield Words(x + 4, plot.bottom + 8, name, _SMALL, Anchor.END, turned=True)


def _step_name(plan: ArenaPlan, step: Step) -> str:
    return f"{place(step.subgraph, step.node)} {plan.nodes[step.subgraph][step.node].operator}"


def _time_name(plan: ArenaPlan, time: int) -> str:
    if not plan.steps or time < plan.steps[0].time:
        return "the start"
    return f"node {_step_name(plan, plan.steps[column_of(plan.steps, time)])}"
