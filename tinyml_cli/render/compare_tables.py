"""`tinyml compare` as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import RenderableType

from tinyml_cli.comparing.report import DIFFERS, IDENTICAL, CompareReport, Scores
from tinyml_cli.render.health_lines import health
from tinyml_cli.render.parts import BLANK, line, table
from tinyml_cli.render.units import (
    cosine,
    decibels,
    factor,
    number,
    percent,
    plural,
    relative,
    shape_text,
    value_text,
)
from tinyml_cli.running.report import ClassScore, ErrorScore
from tinyml_runtime.comparison.examination import Findings
from tinyml_runtime.comparison.layers import LayerComparison
from tinyml_runtime.comparison.metrics import Difference
from tinyml_runtime.comparison.outputs import OutputComparison

_STYLES = {IDENTICAL: "bold green", DIFFERS: "bold red"}
_SHOWN_LAYERS = 8
_SHOWN_SAMPLES = 10
_UNKNOWN = "?"


def compare(report: CompareReport) -> list[RenderableType]:
    """A comparison: verdict, outputs, scores, operators."""
    parts: list[RenderableType] = [
        line(f"{report.model.path}: {report.kernels} kernels beside {report.against}", "bold"),
        line(f"{plural(report.samples, 'sample')} from {report.source}"),
        line(_verdict(report), _STYLES.get(report.verdict, "bold yellow")),
        BLANK,
        _outputs(report.outputs),
        *_histograms(report.outputs),
    ]
    if report.scores is not None:
        parts += [BLANK, *_scores(report.scores)]
    if report.layers is not None:
        parts += [BLANK, _layers(report.layers), *_injecting(report)]
    elif report.verdict != IDENTICAL:
        parts += [BLANK, line("--layers says at which operators the sides part")]
    if report.health is not None:
        parts += [BLANK, *health(report.health)]
    return [*parts, *(line(text) for text in report.written)]


def _verdict(report: CompareReport) -> str:
    if report.verdict == IDENTICAL:
        return "identical: every element of every output"
    differences = [output.difference for output in report.outputs]
    mismatched = sum(difference.mismatched for difference in differences)
    elements = sum(difference.elements for difference in differences)
    text = f"{report.verdict}: {mismatched:,} of {elements:,} elements are not the same"
    steps = [d.max_steps for d in differences if d.max_steps is not None]
    floats = [d.max_relative_diff for d in differences if d.max_relative_diff is not None]
    limits: list[str] = []
    if any(steps):
        limits.append(f"by up to {plural(max(steps), 'step')}")
    if any(floats):
        limits.append(f"by up to {relative(max(floats))} of their magnitude")
    nans = sum(d.nan_ours + d.nan_theirs - d.nan_both for d in differences)
    return f"{text}, {', '.join(limits)}" if limits else f"{text}, {nans:,} are NaN"


def _outputs(outputs: Sequence[OutputComparison]) -> RenderableType:
    rows = [
        (
            str(output.index),
            number(output.difference.elements),
            number(output.difference.mismatched),
            _largest(output.difference),
            factor(output.difference.max_abs_diff),
            cosine(output.difference.cosine),
            decibels(output.difference.sqnr_db),
            "-" if output.top1_agreement is None else percent(output.top1_agreement),
        )
        for output in outputs
    ]
    headings = ("output", "elements", "differ", "by", "real", "cosine", "dB", "top 1")
    return table(headings, rows, range(8), range(8))


def _largest(difference: Difference | None) -> str:
    """The largest difference: in steps, or relatively for floats."""
    if difference is None:
        return _UNKNOWN
    if difference.max_steps is not None:
        return number(difference.max_steps)
    return relative(difference.max_relative_diff or 0.0)


def _histograms(outputs: Sequence[OutputComparison]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for output in outputs:
        difference = output.difference
        if difference.mismatched:
            parts.append(line(f"{_about(output)}: {_histogram(difference)}"))
        if difference.nan_ours or difference.nan_theirs:
            parts.append(line(f"{_about(output)}: {_nans(difference)}", "bold yellow"))
    return parts


def _about(output: OutputComparison) -> str:
    tensor = output.tensor
    return f"output {output.index}, {tensor.type.name.lower()} {shape_text(tensor.shape)}"


def _histogram(difference: Difference) -> str:
    unit = "steps" if difference.max_steps is not None else "relative"
    counts = [f"{label}: {count:,}" for label, count in difference.histogram if count]
    return f"{unit}  {'  '.join(counts)}"


def _nans(difference: Difference) -> str:
    return (
        f"NaN: {difference.nan_ours:,} here, {difference.nan_theirs:,} on the other side, "
        f"{difference.nan_both:,} in the same places"
    )


def _layers(layers: Sequence[LayerComparison]) -> RenderableType:
    rows = [
        (
            str(layer.node.index),
            layer.node.operator,
            _UNKNOWN if layer.inherited is None else number(layer.inherited.elements),
            *_counts(layer.inherited),
            *_counts(layer.injected),
            _UNKNOWN if layer.inherited is None else decibels(layer.inherited.sqnr_db),
        )
        for layer in layers
    ]
    headings = ("op", "operator", "elements", "inherited", "by", "injected", "by", "dB")
    columns = (0, 2, 3, 4, 5, 6, 7)
    return table(headings, rows, columns, columns)


def _counts(difference: Difference | None) -> tuple[str, str]:
    if difference is None:
        return _UNKNOWN, ""
    return number(difference.mismatched), _largest(difference) if difference.mismatched else ""


def _injecting(report: CompareReport) -> list[RenderableType]:
    """The operators that differ by themselves, the first of them first."""
    layers = report.injecting
    unknown = [layer for layer in report.layers or () if layer.injected is None]
    parts: list[RenderableType] = []
    if not layers:
        parts.append(line("no operator differs by itself, given the other side's inputs"))
    else:
        first = layers[0].node
        parts.append(
            line(f"the first that differs by itself is operator {first.index}, {first.operator}")
        )
    parts += [line(text) for text in _all_causes(layers)]
    for layer in layers[:_SHOWN_LAYERS]:
        parts += [line(text) for text in _injection(layer)]
    if len(layers) > _SHOWN_LAYERS:
        parts.append(line(f"... {len(layers) - _SHOWN_LAYERS} more; --json has all"))
    if unknown:
        count = plural(len(unknown), "operator output")
        parts.append(line(f"? {count}: the other side does not give what a comparison takes"))
    return parts


def _injection(layer: LayerComparison) -> list[str]:
    difference = layer.injected
    if difference is None:
        return []
    lines = [
        f"  {layer.node.index} {layer.node.operator}: {difference.mismatched:,} of "
        f"{difference.elements:,} elements, by up to {value_text(difference.max_abs_diff)}",
        f"    {_histogram(difference)}",
    ]
    if difference.nan_ours or difference.nan_theirs:
        lines.append(f"    {_nans(difference)}")
    return [*lines, *_causes(layer.findings)]


def _causes(findings: Findings | None) -> list[str]:
    if findings is None or not findings.examined:
        return []
    texts = [
        f"    {percent(cause.elements / findings.examined)}: {cause.words}"
        for cause in findings.causes
    ]
    if findings.causes and findings.unexplained:
        texts.append(f"    {percent(findings.unexplained / findings.examined)}: unexplained")
    return texts


def _all_causes(layers: Sequence[LayerComparison]) -> list[str]:
    """What explains the differences of all operators together, and what to do about the rest."""
    findings = {layer.node.index: layer.findings for layer in layers if layer.findings}
    examined = sum(found.examined for found in findings.values())
    elements: Counter[str] = Counter()
    for found in findings.values():
        for cause in found.causes:
            elements[cause.words] += cause.elements
    unexplained = sum(found.unexplained for found in findings.values())
    if not examined or (not elements and not unexplained):
        return []
    lines = [f"causes, tested on {plural(examined, 'element')}:"]
    lines += [f"  {percent(count / examined)}: {words}" for words, count in elements.most_common()]
    if unexplained:
        lines.append(
            f"  {percent(unexplained / examined)}: none of the known rules; suspect a defect "
            "(--write-repro DIR)"
        )
    return lines


def _scores(scores: Scores) -> list[RenderableType]:
    parts: list[RenderableType] = [
        line(f"ours     {_score(scores.ours)}"),
        line(f"theirs   {_score(scores.theirs)}"),
    ]
    if not isinstance(scores.ours, ClassScore):
        return parts
    apart = scores.disagreements
    if not apart:
        return [*parts, line("both sides prefer the same class for every sample")]
    rows = [
        (
            str(one.sample),
            str(one.ours),
            str(one.theirs),
            "" if one.expected is None else str(one.expected),
        )
        for one in apart[:_SHOWN_SAMPLES]
    ]
    parts.append(line(f"the sides disagree on {plural(len(apart), 'sample')}"))
    parts.append(table(("sample", "ours", "theirs", "expected"), rows, (0, 1, 2, 3)))
    rest = len(apart) - len(rows)
    return [*parts, line(f"... {plural(rest, 'more sample')}; --json has all")] if rest else parts


def _score(score: ClassScore | ErrorScore) -> str:
    if isinstance(score, ClassScore):
        return f"accuracy {percent(score.accuracy)} ({score.correct:,} of {score.samples:,})"
    return f"mean absolute error {value_text(score.mean_absolute_error)}"
