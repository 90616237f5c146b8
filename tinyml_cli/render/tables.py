"""Reports as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from tinyml_cli.render.machine import confusion_matrix
from tinyml_cli.render.parts import BLANK, line, table
from tinyml_cli.render.units import (
    bytes_text,
    fixed_milliseconds,
    percent,
    plural,
    shape_text,
    value_text,
)
from tinyml_cli.running.report import (
    ClassScore,
    ErrorScore,
    OutputReport,
    Port,
    RunReport,
    TracedNode,
)
from tinyml_profiles.amounts import milliseconds

_SHOWN_VALUES = 10
_SHOWN_SAMPLES = 10
_SHOWN_IN_A_ROW = 4
_MATRIX_CLASSES = 12
_SHOWN_CONFUSIONS = 10


def run(report: RunReport) -> list[RenderableType]:
    """A run: inputs, trace, outputs, score, time."""
    parts: list[RenderableType] = [_heading(report), *_arena(report), *_inputs(report), BLANK]
    if report.trace is not None:
        parts += [_trace(report.trace, report.timed_invokes), BLANK]
    for output in report.outputs:
        parts += [
            line(f"output {_port_text(output.port)}"),
            *_output(output, report.samples),
            BLANK,
        ]
    if isinstance(report.score, ClassScore):
        parts += [*_class_score(report.score), BLANK]
    if isinstance(report.score, ErrorScore):
        parts += [_error_score(report.score), BLANK]
    parts.append(_time(report))
    if report.saved_to is not None:
        parts.append(line(f"outputs saved to {report.saved_to}"))
    return parts


def _heading(report: RunReport) -> RenderableType:
    model = report.model
    return line(f"{model.path}: {bytes_text(len(model.content))}, {report.kernels} kernels")


def _arena(report: RunReport) -> list[RenderableType]:
    arena = report.arena
    if arena is None:
        return []
    runtime = arena.abi if arena.core is None else f"{arena.abi}, {arena.core}"
    planned = f"{arena.planned_bytes:,} planned bytes"
    return [line(f"inside the arena of {runtime}: tensors share {planned}")]


def _inputs(report: RunReport) -> list[RenderableType]:
    if not report.inputs:
        return [line("the model has no inputs")]
    count = plural(report.samples, "sample")
    return [
        line(f"input {_port_text(one.port)}\n  {count} from {one.source}") for one in report.inputs
    ]


def _port_text(port: Port) -> str:
    text = f"{port.index}: {port.dtype} {shape_text(port.shape)}"
    if port.scale is not None:
        text += f", scale {value_text(port.scale)}, zero point {port.zero_point}"
    return f"{text}, '{port.name}'"


def _output(output: OutputReport, samples: int) -> list[RenderableType]:
    if samples > 1:
        return _many_samples(output, samples)
    if output.top:
        return [_top(output)]
    return _values(output)


def _top(output: OutputReport) -> RenderableType:
    stored = output.values.reshape(-1)
    rows = [
        (str(one.index), one.label, value_text(one.score), value_text(stored[one.index].item()))
        for one in output.top[0]
    ]
    return _class_table("class", rows, output)


def _values(output: OutputReport) -> list[RenderableType]:
    """The first values of one sample, with their places."""
    shape = output.values.shape
    count = min(output.values.size, _SHOWN_VALUES)
    real, stored = output.real.reshape(-1), output.values.reshape(-1)
    rows = [
        (
            ",".join(str(int(i)) for i in np.unravel_index(place, shape)),
            "",
            value_text(real[place].item()),
            value_text(stored[place].item()),
        )
        for place in range(count)
    ]
    parts = [_class_table("place", rows, output)]
    return [*parts, *_rest(output.values.size - count, "value")]


def _class_table(first: str, rows: Sequence[Sequence[str]], output: OutputReport) -> Table:
    """Columns: class or place, label, value, stored; those that say nothing are left out."""
    headings = (first, "label", "score" if output.top else "value", "stored")
    says_something = (True, any(row[1] for row in rows), True, output.port.scale is not None)
    columns = [index for index, says in enumerate(says_something) if says]
    return table(
        [headings[column] for column in columns],
        [[row[column] for column in columns] for row in rows],
        right=[place for place, column in enumerate(columns) if column >= 2],
    )


def _many_samples(output: OutputReport, samples: int) -> list[RenderableType]:
    shown = min(samples, _SHOWN_SAMPLES)
    if output.top:
        rows = [
            (str(sample), str(best[0].index), best[0].label, value_text(best[0].score))
            for sample, best in enumerate(output.top[:shown])
        ]
        headings = ("sample", "best class", "label", "score")
        if not rows[0][2]:
            rows = [(row[0], row[1], row[3]) for row in rows]
            headings = ("sample", "best class", "score")
        parts = [table(headings, rows, (0, len(headings) - 1))]
    else:
        flat = output.real.reshape(samples, output.real.size // samples)
        rows = [(str(sample), _row_text(flat[sample])) for sample in range(shown)]
        parts = [table(("sample", "values"), rows, (0,))]
    return [*parts, *_rest(samples - shown, "sample")]


def _row_text(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    first = [value_text(value.item()) for value in values[:_SHOWN_IN_A_ROW]]
    rest = len(values) - len(first)
    return "  ".join(first) + (f"  ... {rest:,} more" if rest else "")


def _rest(count: int, noun: str) -> list[RenderableType]:
    return [line(f"... {plural(count, f'more {noun}')}; -o OUT.npz saves all")] if count else []


def _class_score(score: ClassScore) -> list[RenderableType]:
    text = f"accuracy {percent(score.accuracy)} ({score.correct:,} of {score.samples:,})"
    parts: list[RenderableType] = [line(text)]
    if score.classes <= _MATRIX_CLASSES:
        parts.append(_matrix(score))
    else:
        parts.extend(_confusions(score))
    return parts


def _matrix(score: ClassScore) -> RenderableType:
    names = [_class_name(score, index) for index in range(score.classes)]
    headings = ("expected \\ got", *(str(index) for index in range(score.classes)))
    rows = [
        (name, *(str(count) if count else "." for count in row))
        for name, row in zip(names, confusion_matrix(score), strict=True)
    ]
    return table(headings, rows, range(1, len(headings)))


def _confusions(score: ClassScore) -> list[RenderableType]:
    wrong = [cell for cell in score.confusion if cell.expected != cell.predicted]
    wrong.sort(key=lambda cell: -cell.samples)
    if not wrong:
        return []
    rows = [
        (_class_name(score, c.expected), _class_name(score, c.predicted), f"{c.samples:,}")
        for c in wrong[:_SHOWN_CONFUSIONS]
    ]
    rest = len(wrong) - len(rows)
    more = [line(f"... {plural(rest, 'more pair')} of classes; --json has all")] if rest else []
    return [table(("expected", "got", "samples"), rows, (2,)), *more]


def _class_name(score: ClassScore, index: int) -> str:
    return f"{index} {score.labels[index]}" if score.labels else str(index)


def _error_score(score: ErrorScore) -> RenderableType:
    return line(
        f"mean absolute error {value_text(score.mean_absolute_error)}, "
        f"largest {value_text(score.max_absolute_error)} ({plural(score.samples, 'sample')})"
    )


def _trace(nodes: Sequence[TracedNode], invokes: int) -> RenderableType:
    several = any(node.subgraph for node in nodes)
    rows = [
        (
            f"{node.subgraph}:{node.index}" if several else str(node.index),
            node.operator,
            f"{node.dtype} {shape_text(node.shape)}" if node.dtype else "",
            "" if node.lowest is None else value_text(node.lowest),
            "" if node.highest is None else value_text(node.highest),
            fixed_milliseconds(node.total_ms / invokes),
        )
        for node in nodes
    ]
    headings = ("node", "operator", "output", "lowest", "highest", "host ms")
    return table(headings, rows, (0, 3, 4, 5))


def _time(report: RunReport) -> RenderableType:
    text = f"{milliseconds(report.invoke_ms)} per invoke on this computer, not on a target"
    if report.timed_invokes > 1:
        text += f" (median of {report.timed_invokes:,})"
    return line(text)
