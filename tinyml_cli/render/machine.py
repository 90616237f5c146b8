"""Reports as JSON, in the versioned shape that scripts rely on."""

from __future__ import annotations

from typing import Any

from tinyml_cli.render.json_text import model_entry, to_json
from tinyml_cli.running.report import (
    ArenaRun,
    ClassScore,
    ErrorScore,
    InputReport,
    OutputReport,
    Port,
    RankedClass,
    RunReport,
    TracedNode,
)

_SHOWN_VALUES = 1000
_SHOWN_CLASSES = 100


def run(report: RunReport) -> str:
    """A run as one JSON object."""
    content = {
        "model": model_entry(report.model),
        "kernels": report.kernels,
        "in_arena": None if report.arena is None else _arena(report.arena),
        "samples": report.samples,
        "inputs": [_input(one) for one in report.inputs],
        "outputs": [_output(one) for one in report.outputs],
        "invoke_ms": report.invoke_ms,
        "timed_invokes": report.timed_invokes,
        "score": None if report.score is None else _score(report.score),
        "trace": None if report.trace is None else [_traced(node) for node in report.trace],
        "saved_to": None if report.saved_to is None else str(report.saved_to),
        "notes": list(report.notes),
    }
    return to_json(content)


def _arena(arena: ArenaRun) -> dict[str, Any]:
    return {"planned_bytes": arena.planned_bytes, "abi": arena.abi, "core": arena.core}


def _port(port: Port) -> dict[str, Any]:
    return {
        "index": port.index,
        "name": port.name,
        "shape": list(port.shape),
        "dtype": port.dtype,
        "scale": port.scale,
        "zero_point": port.zero_point,
    }


def _input(report: InputReport) -> dict[str, Any]:
    return {**_port(report.port), "source": report.source, "notes": list(report.notes)}


def _output(report: OutputReport) -> dict[str, Any]:
    from hashlib import sha256

    values = report.values
    data = values.astype(values.dtype.newbyteorder("<"), order="C", copy=False).tobytes()
    shown = values if values.size <= _SHOWN_VALUES else values.reshape(-1)[:_SHOWN_VALUES]
    return {
        **_port(report.port),
        # With many samples this is the shape of them all together.
        "shape": list(values.shape),
        "values": shown.view(values.real.dtype).tolist()
        if values.dtype.kind == "c"
        else shown.tolist(),
        "sha256": sha256(data).hexdigest(),
        "top": [[_ranked(one) for one in best] for best in report.top[:_SHOWN_VALUES]],
    }


def _ranked(ranked: RankedClass) -> dict[str, Any]:
    return {"class": ranked.index, "label": ranked.label or None, "score": ranked.score}


def _score(score: ClassScore | ErrorScore) -> dict[str, Any]:
    if isinstance(score, ErrorScore):
        return {
            "output": score.output,
            "samples": score.samples,
            "mean_absolute_error": score.mean_absolute_error,
            "max_absolute_error": score.max_absolute_error,
        }
    cells = score.confusion
    return {
        "output": score.output,
        "samples": score.samples,
        "correct": score.correct,
        "accuracy": score.accuracy,
        "classes": score.classes,
        "confusion": confusion_matrix(score) if score.classes <= _SHOWN_CLASSES else None,
        "confused": [
            {"expected": c.expected, "predicted": c.predicted, "samples": c.samples}
            for c in cells
            if c.expected != c.predicted
        ],
    }


def confusion_matrix(score: ClassScore) -> list[list[int]]:
    """Counts as [expected][predicted]."""
    matrix = [[0] * score.classes for _ in range(score.classes)]
    for cell in score.confusion:
        matrix[cell.expected][cell.predicted] = cell.samples
    return matrix


def _traced(node: TracedNode) -> dict[str, Any]:
    return {
        "subgraph": node.subgraph,
        "index": node.index,
        "op": node.operator,
        "shape": list(node.shape),
        "dtype": node.dtype,
        "calls": node.calls,
        "total_ms": node.total_ms,
        "lowest": node.lowest,
        "highest": node.highest,
    }
