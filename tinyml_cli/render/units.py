"""Bytes, times, shapes and values as text: all that formats numbers, but for `amounts`."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from tinyml_profiles.amounts import amount


def printable(text: str) -> str:
    """Names from files as they can be shown: what would steer a terminal becomes a `?`."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def bytes_text(count: int) -> str:
    """`17,016 bytes`."""
    return f"{count:,} bytes"


def kibibytes(count: int) -> str:
    """`22.25 KiB`."""
    return f"{count / 1024:,.2f} KiB"


def size_text(count: int) -> str:
    """`16 KiB`, and `512 bytes` for what is no multiple of a quarter of a KiB: for axes."""
    return f"{count / 1024:g} KiB" if count >= 1024 and count % 256 == 0 else f"{count:,} bytes"


def number(count: int) -> str:
    """`17,016`, for columns whose heading has the unit."""
    return f"{count:,}"


def one_decimal(value: float) -> str:
    """`9.8`."""
    return f"{value:,.1f}"


def megahertz(clock_hz: float) -> str:
    """`120 MHz`."""
    return f"{clock_hz / 1e6:g} MHz"


def milliwatts(power_mw: float) -> str:
    """Three significant digits, or whole ones: `51.8 mW`, `0.0130 mW`, `445 mW`."""
    return f"{amount(power_mw)} mW"


def microjoules(energy_uj: float) -> str:
    """`52.1 uJ`, `4,809 uJ`."""
    return f"{amount(energy_uj)} uJ"


def fixed_milliseconds(duration_ms: float) -> str:
    """Four decimals and no unit, for columns: `0.0213`."""
    return f"{duration_ms:,.4f}"


def shape_text(shape: Sequence[int]) -> str:
    """`1x8x8x1`; `scalar` for no dimensions."""
    return "x".join(map(str, shape)) or "scalar"


def value_text(value: object) -> str:
    """A value in at most six significant digits; True and whole numbers as they are."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def percent(share: float) -> str:
    """`97.5 %`."""
    return f"{100 * share:.1f} %"


def whole_percent(share: float) -> str:
    """`97 %`, rounded down: what is left is never said to be more."""
    return f"{floor(100 * share):,} %"


def signed_percent(share: float) -> str:
    """`+12.3 %`."""
    return f"{round(100 * share, 1) + 0.0:+.1f} %"  # 0.0 makes +0.0 of -0.0


def factor(value: float) -> str:
    """A factor, or a count with a fraction, in four significant digits at most."""
    return f"{value:.4g}" if value < 1e4 else f"{value:,.0f}"


def plural(count: int, noun: str) -> str:
    """`1 sample`, `200 samples`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def relative(value: float) -> str:
    """The order of a relative difference: `4e-07`."""
    return f"{value:.0e}" if value else "0"


def decibels(value: float | None) -> str:
    """`53.9`, for columns whose heading has the unit; `-` where there is no bound or no signal."""
    return "-" if value is None else f"{round(value, 1) + 0.0:.1f}"  # 0.0 makes 0.0 of -0.0


def cosine(value: float | None) -> str:
    """`0.999998`, never rounded up to 1; `-` for a side of zeros."""
    if value is None:
        return "-"
    return "1" if value == 1 else f"{min(value, 0.999999):.6f}"
