"""All cases of the tables."""

from __future__ import annotations

from tests.conformance import (
    cases_binary,
    cases_custom,
    cases_graphs,
    cases_layers,
    cases_movement,
    cases_recurrent,
    cases_reductions,
    cases_shapes,
    cases_signal,
    cases_types,
    cases_unary,
    cases_windows,
)

CASES = [
    *cases_unary.CASES,
    *cases_binary.CASES,
    *cases_layers.CASES,
    *cases_recurrent.CASES,
    *cases_windows.CASES,
    *cases_reductions.CASES,
    *cases_shapes.CASES,
    *cases_movement.CASES,
    *cases_types.CASES,
    *cases_graphs.CASES,
    *cases_custom.CASES,
    *cases_signal.CASES,
]
