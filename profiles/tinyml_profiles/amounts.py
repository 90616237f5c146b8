"""Measured and predicted quantities as text."""

from __future__ import annotations


def amount(value: float) -> str:
    """Three significant digits, or whole ones, and no unit: `0.0213`, `1.52`, `1,204`."""
    exponent = int(f"{value:.2e}".partition("e")[2])  # of what is left after rounding
    return f"{value:,.{max(0, 2 - exponent)}f}"


def milliseconds(duration_ms: float) -> str:
    """`0.0213 ms`, `1.52 ms`, `616 ms`, `1,204 ms`."""
    return f"{amount(duration_ms)} ms"
