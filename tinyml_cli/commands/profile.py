"""`tinyml profile`: how long a model takes on a target, operator by operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_cli.arguments import (
    ExitCode,
    JsonFlag,
    ModelPaths,
    duration,
    one_of,
    positive_number,
)
from tinyml_cli.commands.input_options import (
    Channel,
    ImageRange,
    InputFiles,
    Resize,
    Values,
    read_options,
)
from tinyml_cli.commands.log_options import LOGS, Invocations, TicksPerSecond, Unit

if TYPE_CHECKING:
    from tinyml_cli.inputs.gather import InputRequest
    from tinyml_cli.profiling.profile_models import ProfileReport

_TARGETS, _CONDITIONS, _REPORT = "Targets", "Conditions", "Report"

Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="NAME|FILE.toml",
        help="A board, a core with memory that never waits, or a file of your own. Repeatable: "
        "several stand side by side.",
        rich_help_panel=_TARGETS,
    ),
]
AllCores = Annotated[
    bool,
    typer.Option("--all-cores", metavar="", help="Every core.", rich_help_panel=_TARGETS),
]
Kernels = Annotated[
    str | None,
    typer.Option(
        "--kernels",
        metavar="NAME",
        help="The kernel library; without it the board's usual one, reference for a core.",
        rich_help_panel=_CONDITIONS,
    ),
]
Clock = Annotated[
    str | None,
    typer.Option(metavar="MHZ", help="Another clock.", rich_help_panel=_CONDITIONS),
]
WeightsIn = Annotated[
    str | None,
    typer.Option(
        metavar="MEMORY",
        help="Where weights lie: a memory of the board, such as flash or sram.",
        rich_help_panel=_CONDITIONS,
    ),
]
Opt = Annotated[
    str | None,
    typer.Option(
        metavar="O2|Os",
        help="The compiler's optimisation of the kernels: O2, or for size Os; without it O2, or "
        "what the log says.",
        rich_help_panel=_CONDITIONS,
    ),
]
DutyCycle = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Run once every so often (2s, 500ms): what share of the time that takes.",
        rich_help_panel=_REPORT,
    ),
]
WhatIfFlag = Annotated[
    bool,
    typer.Option(
        "--what-if",
        metavar="",
        help="Compute the latency with other kernels and memories too.",
        rich_help_panel=_REPORT,
    ),
]
Measured = Annotated[
    str | None,
    typer.Option(
        "--measured",
        metavar="LOG",
        help="Show a measured run beside the prediction: what 'tinyml calibrate' reads.",
        rich_help_panel=LOGS,
    ),
]
By = Annotated[
    str, typer.Option(metavar="op|type", help="List operators or kinds.", rich_help_panel=_REPORT)
]
Sort = Annotated[
    str,
    typer.Option(
        metavar="order|time", help="In execution order, or longest first.", rich_help_panel=_REPORT
    ),
]
Plot = Annotated[
    str | None,
    typer.Option(
        metavar="OUT.svg|.png", help="Draw a bar for each operator.", rich_help_panel=_REPORT
    ),
]
ForceFlag = Annotated[
    bool,
    typer.Option(
        "--force",
        metavar="",
        help="Replace a picture that is there and not from tinyml.",
        rich_help_panel=_REPORT,
    ),
]
CsvFlag = Annotated[
    bool,
    typer.Option(
        "--csv", metavar="", help="Print a row for every operator.", rich_help_panel=_REPORT
    ),
]


def profile(
    models: ModelPaths,
    target: Targets = None,
    all_cores: AllCores = False,
    kernels: Kernels = None,
    clock_mhz: Clock = None,
    weights_in: WeightsIn = None,
    opt: Opt = None,
    duty_cycle: DutyCycle = None,
    what_if: WhatIfFlag = False,
    inputs: InputFiles = None,
    values: Values = "auto",
    resize: Resize = False,
    image_range: ImageRange = None,
    channel: Channel = None,
    measured: Measured = None,
    unit: Unit = None,
    ticks_per_second: TicksPerSecond = None,
    invocations: Invocations = None,
    by: By = "op",
    sort: Sort = "order",
    plot: Plot = None,
    force: ForceFlag = False,
    as_csv: CsvFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Say how long one invocation of MODEL takes on a target, and what dominates.

    Instructions are counted loop by loop, as measured on the compiled kernels;
    cycles are those of the core and of waiting for the board's memories. What
    nobody has measured is called assumed or unknown.

    Some kernels execute more for some values than for others: SOFTMAX, and floats
    without an FPU above all. With --input the model runs on samples, and the
    figures are for them; without, small models run on a reference input, and of large
    ones the mean over all values is told.

    Examples:
      tinyml profile model.tflite --target nucleo-l4r5zi
      tinyml profile model.tflite --target cortex-m4 --clock-mhz 80 --by type
      tinyml profile model.tflite --target nucleo-l4r5zi --target esp32-devkit-v1
      tinyml profile model.tflite --target cortex-m0 -i samples.npz
      tinyml profile model.tflite --target nucleo-l4r5zi --measured run.log
    """
    from tinyml_cli.profiling.profile_models import ProfileRequest, profile_models

    listed, order = one_of(by, "--by", ("op", "type")), one_of(sort, "--sort", ("order", "time"))
    request = ProfileRequest(
        models=models,
        targets=tuple(target or ()),
        all_cores=all_cores,
        kernels=kernels,
        clock_mhz=None if clock_mhz is None else positive_number(clock_mhz, "--clock-mhz", "MHz"),
        weights_in=weights_in,
        opt=None if opt is None else one_of(opt, "--opt", ("O2", "Os")),
        period_seconds=None if duty_cycle is None else duration(duty_cycle, "--duty-cycle"),
        what_if=what_if,
        inputs=_inputs(inputs, values, image_range, channel, resize=resize),
        measured=measured,
        ticks=(unit, ticks_per_second, invocations),
    )
    from tinyml_cli.profiling.picture import check_picture, write_picture

    picture = None if plot is None else check_picture(plot, request, force=force)
    from tinyml_cli.render.progress import progress_bar

    with progress_bar() as on_progress:
        reports = profile_models(request, on_progress)
    if picture is not None:
        write_picture(picture, reports[0])
    _show(reports, listed, order, as_json=as_json, as_csv=as_csv)
    if any(report.duty is not None and report.duty > 1 for report in reports):
        raise typer.Exit(ExitCode.VERDICT_NO)


def _inputs(
    files: list[str] | None,
    values: str,
    image_range: str | None,
    channel: str | None,
    *,
    resize: bool,
) -> InputRequest | None:
    options = read_options(values, image_range, channel, resize=resize)
    if not files:
        return None
    from tinyml_cli.inputs.gather import InputRequest

    return InputRequest(files, options=options)


def _show(
    reports: Sequence[ProfileReport], by: str, order: str, *, as_json: bool, as_csv: bool
) -> None:
    from tinyml_cli.render.show import show, show_text

    if as_json or as_csv:
        from tinyml_cli.render.profile_json import profile, profile_csv

        show_text(profile(reports) if as_json else profile_csv(reports))
        return
    from tinyml_cli.render import profile_tables

    show(profile_tables.profile(reports, by, order))
