"""What all tests share."""

from __future__ import annotations

import pytest

from tests.conformance import summary


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how far the conformance suite reached, where it ran."""
    lines = summary.lines(terminalreporter.getreports("passed"))
    if lines:
        terminalreporter.section("conformance", "-")
    for line in lines:
        terminalreporter.write_line(line)
