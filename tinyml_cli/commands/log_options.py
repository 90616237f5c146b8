"""What commands that read logs ask about their ticks."""

from __future__ import annotations

from typing import Annotated

import typer

LOGS = "Logs"

Unit = Annotated[
    str | None,
    typer.Option(
        metavar="us|cycles|cycles/1024|ms",
        help="What a tick of the log is, where it does not say so.",
        rich_help_panel=LOGS,
    ),
]
TicksPerSecond = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="The same as a number: what the port's ticks_per_second() returns.",
        rich_help_panel=LOGS,
    ),
]
Invocations = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="How many invocations sums by tag are of; 1 without it.",
        rich_help_panel=LOGS,
    ),
]
