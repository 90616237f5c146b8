"""The health of a model's quantization, from the values that a comparison has recorded."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_runtime.comparison.compare import Comparison
from tinyml_runtime.comparison.findings import Finding
from tinyml_runtime.comparison.health import health_findings
from tinyml_runtime.comparison.layers import LayerComparison
from tinyml_runtime.comparison.recording import Recording
from tinyml_runtime.model.schema import Model


def find_health(
    model: Model, comparison: Comparison, layers: Sequence[LayerComparison]
) -> Sequence[Finding]:
    """Findings, worst first; `layers` tell what is lost where the other side computes in floats."""
    recording = comparison.recording or Recording()
    return health_findings(model, recording.values, _float_sqnr(layers))


def _float_sqnr(layers: Sequence[LayerComparison]) -> dict[int, float]:
    """The SQNR in dB of the tensors that the other side, another model, has in floats."""
    return {
        layer.tensor.index: layer.inherited.sqnr_db
        for layer in layers
        if layer.inherited is not None
        and layer.inherited.sqnr_db is not None
        and layer.is_beside_floats
    }
