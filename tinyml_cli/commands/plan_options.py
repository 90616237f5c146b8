"""Options of `tinyml plan` for what it shows and writes besides the figures."""

from __future__ import annotations

from typing import Annotated

import typer

_REPORT, _FILES = "Report", "Files"

Style = Annotated[
    str,
    typer.Option(
        metavar="map|tflm",
        help="How the arena is drawn; tflm prints what TFLM's PrintMemoryPlan does, and nothing "
        "else.",
        rich_help_panel=_REPORT,
    ),
]
LogLines = Annotated[
    list[str] | None,
    typer.Option(
        "--explain",
        metavar="LINE|-",
        help="Say what a line that TFLM printed means for this model; - reads a whole log from "
        "standard input. Repeatable.",
        rich_help_panel=_REPORT,
    ),
]
WriteTo = Annotated[
    str | None,
    typer.Option(
        "--write",
        metavar="OUT.tflite",
        help="Save the model with this plan in it (and in the new order), for TFLM to keep to.",
        rich_help_panel=_FILES,
    ),
]
Plot = Annotated[
    str | None,
    typer.Option(
        metavar="OUT.svg|.png",
        help="Draw the arena over time: operators across, bytes upwards.",
        rich_help_panel=_FILES,
    ),
]
Header = Annotated[
    str | None,
    typer.Option(
        metavar="OUT.h",
        help="A C++ header with the arena, and checks at compile time that its size holds.",
        rich_help_panel=_FILES,
    ),
]
Resolver = Annotated[
    str | None,
    typer.Option(
        metavar="OUT.h",
        help="A C++ header with a MicroMutableOpResolver of just the operators needed.",
        rich_help_panel=_FILES,
    ),
]
ForceFlag = Annotated[
    bool,
    typer.Option(
        "--force",
        metavar="",
        help="Replace files that are there and not from tinyml.",
        rich_help_panel=_FILES,
    ),
]
