"""`tinyml plan`: how large the arena must be, what it is made of, how it could be smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_cli.arguments import (
    ExitCode,
    JsonFlag,
    KernelsName,
    ModelPaths,
    one_of,
    seconds,
    whole_number,
)
from tinyml_cli.commands.plan_options import (
    ForceFlag,
    Header,
    LogLines,
    Plot,
    Resolver,
    Style,
    WriteTo,
)

if TYPE_CHECKING:
    from tinyml_cli.planning.report import PlanReports

_RUNTIME, _PLAN, _REPORT = "Runtime", "Memory plan", "Report"

TargetName = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="NAME",
        help="The core that it runs on: it gives the ABI, and what kernels ask for.",
        rich_help_panel=_RUNTIME,
    ),
]
AbiName = Annotated[
    str | None,
    typer.Option(
        "--abi",
        metavar="arm-eabi|ilp32|lp64",
        help="The ABI: arm-eabi is GCC for Arm with short enumerations, ilp32 other 32-bit cores "
        "(RISC-V, Xtensa, Arm with 32-bit enumerations), lp64 a 64-bit computer.",
        rich_help_panel=_RUNTIME,
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        "--tflm",
        metavar="REVISION",
        help="The revision of TFLM, where there are tables for several.",
        rich_help_panel=_RUNTIME,
    ),
]
Planner = Annotated[
    str,
    typer.Option(
        metavar="greedy|linear|offline|optimal",
        help="greedy is TFLM's; linear is TFLM's when it keeps all tensors; offline takes the plan "
        "that the model carries; optimal searches for the smallest.",
        rich_help_panel=_PLAN,
    ),
]
TimeLimit = Annotated[
    str,
    typer.Option(metavar="SECONDS", help="The most time of a search.", rich_help_panel=_PLAN),
]
ReorderFlag = Annotated[
    bool,
    typer.Option(
        "--reorder",
        metavar="",
        help="Search for an order of the operators with a smaller peak.",
        rich_help_panel=_PLAN,
    ),
]
SplitFlag = Annotated[
    bool,
    typer.Option(
        "--split",
        metavar="",
        help="Sizes of two arenas, one for what stays and one for the rest.",
        rich_help_panel=_PLAN,
    ),
]
ArenaSize = Annotated[
    str | None,
    typer.Option(
        metavar="BYTES",
        help="Is an arena of so many bytes enough? Exit code 1 if not.",
        rich_help_panel=_REPORT,
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="op|tensor",
        help="List every byte by operator or by tensor.",
        rich_help_panel=_REPORT,
    ),
]


def plan(
    models: ModelPaths,
    target: TargetName = None,
    abi: AbiName = None,
    tflm: Revision = None,
    kernels: KernelsName = "reference",
    planner: Planner = "greedy",
    time_limit: TimeLimit = "10",
    reorder: ReorderFlag = False,
    split: SplitFlag = False,
    arena_size: ArenaSize = None,
    by: By = None,
    style: Style = "map",
    log_lines: LogLines = None,
    write: WriteTo = None,
    plot: Plot = None,
    header: Header = None,
    resolver: Resolver = None,
    force: ForceFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Say how large the tensor arena of MODEL must be, and why.

    The figures are those of TensorFlow Lite Micro, to the byte, for a named
    runtime: its revision, the kernel library, the ABI. Several models are planned
    one by one, and for one arena that they share, running in turn.

    Examples:
      tinyml plan model.tflite --target cortex-m4 --kernels cmsis-nn
      tinyml plan model.tflite --arena-size 20480
      tinyml plan model.tflite --planner optimal --reorder --write smaller.tflite
      tinyml plan wake.tflite command.tflite --json
      tinyml plan model.tflite --header arena.h --resolver ops.h --plot arena.svg
    """
    from tinyml_cli.planning.files import FileRequest, check_files, write_files
    from tinyml_cli.planning.plan_models import PLANNERS, PlanRequest, plan_models

    limit = seconds(time_limit, "--time-limit")
    request = PlanRequest(
        models=models,
        target=target,
        abi=abi,
        tflm=tflm,
        kernels=kernels,
        planner=one_of(planner, "--planner", PLANNERS),
        time_limit_seconds=limit,
        savings_seconds=None if as_json else min(limit, 0.3),
        arena_bytes=None if arena_size is None else whole_number(arena_size, "--arena-size", 1),
        split=split,
        reorder=reorder,
        write=write is not None,
    )
    listed = None if by is None else one_of(by, "--by", ("op", "tensor"))
    is_tflm = one_of(style, "--style", ("map", "tflm")) == "tflm"
    files = check_files(FileRequest(write, plot, header, resolver, force), models)
    reports = write_files(files, plan_models(request))
    if log_lines:
        from tinyml_cli.planning.explain import explain_log

        reports = explain_log(reports, log_lines)
    if is_tflm and not as_json:
        _show_drawings(reports)
    else:
        _show(reports, as_json, listed)
    if any(report.plan is None for report in reports.reports):
        raise typer.Exit(ExitCode.UNSUPPORTED_MODEL)
    if not reports.is_enough:
        raise typer.Exit(ExitCode.VERDICT_NO)


def _show(reports: PlanReports, as_json: bool, by: str | None) -> None:
    from tinyml_cli.render.show import show, show_notes, show_text

    if as_json:
        from tinyml_cli.render import plan_json

        show_text(plan_json.plan(reports))
        return
    from tinyml_cli.render import plan_tables

    for report in reports.reports:
        show_notes(report.notes)
    show(plan_tables.plan(reports, by))


def _show_drawings(reports: PlanReports) -> None:
    from tinyml_cli.render.show import show_notes, show_text
    from tinyml_cli.render.tflm_drawing import tflm_drawing

    for report in reports.reports:
        show_notes([*report.notes, *(str(problem) for problem in report.problems)])
        if report.plan is not None:
            show_text(tflm_drawing(report.plan))
