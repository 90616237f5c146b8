"""The health of a model's quantization: what it wastes, loses or endangers, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tinyml_runtime.comparison.findings import Finding, Subject
from tinyml_runtime.comparison.scale_risks import find_in_scales
from tinyml_runtime.comparison.used_ranges import find_in_values
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array

__all__ = ["Finding", "health_findings"]

# What a layer loses beyond its inputs is worth a word from here on.
_LOSS_DB = 3.0


def health_findings(
    model: Model,
    values: Mapping[int, Sequence[Array]],
    float_sqnr: Mapping[int, float] | None = None,
) -> tuple[Finding, ...]:
    """What is unhealthy in the quantization of `model`, by harm.

    `values` are those of tensors of the main subgraph, by index, one array a sample. `float_sqnr`
    has the SQNR of tensors, in dB, against the float model, where there is one. Raises ModelError
    for constants that do not fit their shapes.
    """
    subject = Subject.of(model)
    found = [
        *find_in_values(subject, values),
        *find_in_scales(subject),
        *_losses(subject, float_sqnr or {}),
    ]
    return tuple(sorted(found, key=lambda finding: -finding.harm))


def _losses(subject: Subject, sqnr: Mapping[int, float]) -> Iterator[Finding]:
    """Layers whose output is further from the float model's than their inputs are."""
    for node in subject.nodes:
        known = [sqnr[index] for index in node.inputs if index in sqnr]
        for index in node.outputs:
            if index not in sqnr or not known:
                continue
            loss = min(known) - sqnr[index]
            if loss < _LOSS_DB:
                continue
            yield Finding(
                index,
                node.index,
                "sqnr-loss",
                f"{node.operator} {node.index} loses {loss:.1f} dB against the float model: "
                f"{min(known):.1f} dB before, {sqnr[index]:.1f} dB in {subject.named(index)}",
                "quantize its weights per channel, give it representative data, or leave this "
                "layer in int16",
                loss,
            )
