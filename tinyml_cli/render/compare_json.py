"""`tinyml compare` as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyml_cli.comparing.report import CompareReport, Scores
from tinyml_cli.render.json_text import model_entry, to_json
from tinyml_cli.running.report import ClassScore, ErrorScore
from tinyml_runtime.comparison.examination import Findings
from tinyml_runtime.comparison.layers import LayerComparison
from tinyml_runtime.comparison.metrics import Difference
from tinyml_runtime.comparison.outputs import OutputComparison

if TYPE_CHECKING:
    from tinyml_runtime.comparison.findings import Finding


def compare(report: CompareReport) -> str:
    """A comparison as one JSON object."""
    content = {
        "model": model_entry(report.model),
        "kernels": report.kernels,
        "against": report.against,
        "samples": report.samples,
        "source": report.source,
        "verdict": report.verdict,
        "tolerance": {"steps": report.tolerance.steps, "relative": report.tolerance.relative},
        "outputs": [_output(output) for output in report.outputs],
        "layers": [_layer(layer) for layer in report.layers or ()],
        "first_divergence": report.first_divergence,
        "scores": None if report.scores is None else _scores(report.scores),
        "health": None if report.health is None else [_finding(one) for one in report.health],
        "written": list(report.written),
        "notes": list(report.notes),
    }
    return to_json(content)


def _output(output: OutputComparison) -> dict[str, Any]:
    return {
        "index": output.index,
        "name": output.tensor.name,
        **_difference(output.difference),
        "top1_agreement": output.top1_agreement,
    }


def _layer(layer: LayerComparison) -> dict[str, Any]:
    injected, findings = layer.injected, layer.findings
    inherited = _unknown() if layer.inherited is None else _difference(layer.inherited)
    return {
        "subgraph": layer.node.subgraph,
        "op_index": layer.node.index,
        "op": layer.node.operator,
        "tensor": layer.tensor.name,
        "tensor_index": layer.tensor.index,
        **inherited,
        "injected": None if injected is None else injected.mismatched,
        "injected_difference": None if injected is None else _difference(injected),
        "cause": _cause(findings),
        **_causes(findings),
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "elements": difference.elements,
        "mismatched": difference.mismatched,
        "max_abs_diff": difference.max_abs_diff,
        "max_steps": difference.max_steps,
        "max_relative_diff": difference.max_relative_diff,
        "cosine": difference.cosine,
        "sqnr_db": difference.sqnr_db,
        "histogram": dict(difference.histogram),
        "nan": {
            "ours": difference.nan_ours,
            "theirs": difference.nan_theirs,
            "both": difference.nan_both,
        },
    }


def _unknown() -> dict[str, Any]:
    keys = ("mismatched", "max_abs_diff", "max_steps", "max_relative_diff", "cosine", "sqnr_db")
    return dict.fromkeys(("elements", *keys, "histogram", "nan"))


def _cause(findings: Findings | None) -> str | None:
    """What explains most, in words."""
    return findings.causes[0].words if findings is not None and findings.causes else None


def _causes(findings: Findings | None) -> dict[str, Any]:
    if findings is None:
        return {"causes": [], "unexplained": None, "examined": None}
    causes = [
        {"name": cause.name, "words": cause.words, "elements": cause.elements}
        for cause in findings.causes
    ]
    return {
        "causes": causes,
        "unexplained": findings.unexplained,
        "examined": findings.examined,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "tensor": finding.tensor,
        "op_index": finding.op_index,
        "kind": finding.kind,
        "words": finding.words,
        "remedy": finding.remedy,
        "harm_db": finding.harm,
    }


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        "output": scores.ours.output,
        "ours": _score(scores.ours),
        "theirs": _score(scores.theirs),
        "disagreements": [one._asdict() for one in scores.disagreements],
    }


def _score(score: ClassScore | ErrorScore) -> dict[str, Any]:
    if isinstance(score, ClassScore):
        correct = {"correct": score.correct, "accuracy": score.accuracy}
        return {"samples": score.samples, **correct, "mean_absolute_error": None}
    unknown = {"correct": None, "accuracy": None}
    error = score.mean_absolute_error
    return {"samples": score.samples, **unknown, "mean_absolute_error": error}
