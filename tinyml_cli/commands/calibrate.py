"""`tinyml calibrate`: measured runs to a target of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.arguments import JsonFlag, positive_number
from tinyml_cli.commands.log_options import LOGS, Invocations, TicksPerSecond, Unit
from tinyml_cli.commands.plan_options import ForceFlag

_TARGET = "Target"

Logs = Annotated[
    list[str],
    typer.Argument(
        metavar="LOG...", help="Logs of measured runs; - reads one from standard input."
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="The .tflite file that ran. Repeatable: as many as there are logs, in their order.",
        rich_help_panel=LOGS,
    ),
]
TargetName = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="NAME|FILE.toml",
        help="The board that it ran on.",
        rich_help_panel=_TARGET,
    ),
]
Kernels = Annotated[
    str | None,
    typer.Option(
        "--kernels",
        metavar="NAME",
        help="The kernel library that it ran with; without it what the log says, or the board's "
        "usual one.",
        rich_help_panel=_TARGET,
    ),
]
Clock = Annotated[
    str | None,
    typer.Option(
        "--clock-mhz",
        metavar="MHZ",
        help="The clock; without it what the log says, or the board's usual one.",
        rich_help_panel=_TARGET,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT.toml",
        help="Save the new target, for --target of every command.",
    ),
]


def calibrate(
    logs: Logs,
    model: Models = None,
    target: TargetName = None,
    output: Output = None,
    kernels: Kernels = None,
    clock_mhz: Clock = None,
    unit: Unit = None,
    ticks_per_second: TicksPerSecond = None,
    invocations: Invocations = None,
    force: ForceFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a target of your own from logs of measured runs.

    Reads what TFLM's MicroProfiler prints (lines and CSV), generic_benchmark,
    mcufit-bench, laps of the MLPerf Tiny runner, and a CSV of operator,microseconds.
    Fits the few factors of a board, and tests them on what was left out of the fit.

    Examples:
      tinyml calibrate run.log --model model.tflite --target nucleo-l4r5zi -o mine.toml
      tinyml calibrate a.log b.log -m a.tflite -m b.tflite --target esp32-devkit-v1
      tinyml profile model.tflite --target mine.toml
    """
    from tinyml_cli.calibrating.calibrate_models import CalibrateRequest, calibrate_models
    from tinyml_cli.measured_log import LogOptions
    from tinyml_cli.render.show import show, show_text

    report = calibrate_models(
        CalibrateRequest(
            logs=logs,
            models=tuple(model or ()),
            target=target,
            output=output,
            kernels=kernels,
            clock_mhz=None
            if clock_mhz is None
            else positive_number(clock_mhz, "--clock-mhz", "MHz"),
            ticks=LogOptions(unit, ticks_per_second, invocations),
            force=force,
        )
    )
    if as_json:
        from tinyml_cli.render.calibrate_json import calibration

        show_text(calibration(report))
        return
    from tinyml_cli.render import calibrate_tables

    show(calibrate_tables.calibration(report))
