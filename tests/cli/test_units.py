"""Numbers as text."""

from __future__ import annotations

import pytest

from tinyml_profiles.amounts import amount, milliseconds


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.00005, "0.0000500"),
        (0.0213, "0.0213"),
        (1.52, "1.52"),
        (99.94, "99.9"),
        (99.97, "100"),
        (1204.4, "1,204"),
        (-12.34, "-12.3"),
    ],
)
def test_three_digits_or_whole(value: float, text: str) -> None:
    """No exponents, and no point behind whole numbers."""
    assert amount(value) == text
    assert milliseconds(value) == f"{text} ms"
