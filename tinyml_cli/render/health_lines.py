"""The health of a model's quantization for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from tinyml_cli.render.parts import line
from tinyml_cli.render.units import decibels, plural

if TYPE_CHECKING:
    from tinyml_runtime.comparison.findings import Finding

_SHOWN = 12


def health(findings: Sequence[Finding]) -> list[RenderableType]:
    """Findings with their remedies, worst first."""
    if not findings:
        return [line("health: nothing found in the quantization of this model", "bold green")]
    parts: list[RenderableType] = [
        line(f"health: {plural(len(findings), 'finding')}, worst first", "bold")
    ]
    for finding in findings[:_SHOWN]:
        parts.append(line(f"  {decibels(finding.harm)} dB  {finding.kind}: {finding.words}"))
        parts.append(line(f"      {finding.remedy}"))
    rest = len(findings) - _SHOWN
    return [*parts, line(f"... {rest} more; --json has all")] if rest > 0 else parts
