"""`tinyml fit`: does a model fit a board, and what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_cli.arguments import ExitCode, JsonFlag, byte_size, one_of, positive_number

if TYPE_CHECKING:
    from tinyml_cli.fitting.report import FitReports
    from tinyml_profiles.fit_report import Budgets

_BOARDS, _BUDGETS, _BUILD, _REPORT = "Boards", "Budgets", "Image", "Report"
_MODEL_HELP = ".tflite files; - reads one from standard input. --check has those of tinyml.toml."

Models = Annotated[list[str] | None, typer.Argument(metavar="MODEL...", help=_MODEL_HELP)]
Boards = Annotated[
    list[str] | None,
    typer.Option(
        "--board",
        metavar="NAME|FILE.toml",
        help="A board, a core alone, or a file of your own. Repeatable.",
        rich_help_panel=_BOARDS,
    ),
]
AllFlag = Annotated[
    bool,
    typer.Option(
        "--all",
        metavar="",
        help="Every board, those with most room first.",
        rich_help_panel=_BOARDS,
    ),
]
Kernels = Annotated[
    str | None,
    typer.Option(
        "--kernels",
        metavar="NAME",
        help="The kernel library; without it each board's usual one, reference for a core.",
        rich_help_panel=_BOARDS,
    ),
]
CheckFlag = Annotated[
    bool,
    typer.Option(
        "--check",
        metavar="",
        help="Take models, boards and budgets from the project file, and list what is broken.",
        rich_help_panel=_BOARDS,
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.toml",
        help="Check by another project file than tinyml.toml.",
        rich_help_panel=_BOARDS,
    ),
]
MaxLatency = Annotated[
    str | None,
    typer.Option(metavar="MS", help="The longest invocation.", rich_help_panel=_BUDGETS),
]
MaxRam = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="The most RAM: 64k, 256KiB.", rich_help_panel=_BUDGETS),
]
MaxFlash = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="The most flash: 512k, 1M.", rich_help_panel=_BUDGETS),
]
MaxEnergy = Annotated[
    str | None,
    typer.Option(metavar="UJ", help="The most energy of an invocation.", rich_help_panel=_BUDGETS),
]
LoggingFlag = Annotated[
    bool,
    typer.Option(
        "--logging",
        metavar="",
        help="Count what prints TFLM's errors: vfprintf.",
        rich_help_panel=_BUILD,
    ),
]
Int8Flag = Annotated[
    bool,
    typer.Option(
        "--int8-kernels",
        metavar="",
        help="Register kernels for int8 alone where the model has nothing else.",
        rich_help_panel=_BUILD,
    ),
]
StripFlag = Annotated[
    bool,
    typer.Option(
        "--strip-errors",
        metavar="",
        help="Leave out the texts of TFLM's errors: TF_LITE_STRIP_ERROR_STRINGS.",
        rich_help_panel=_BUILD,
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="op", help="List the code bytes of every kernel.", rich_help_panel=_REPORT
    ),
]
MarkdownFlag = Annotated[
    bool,
    typer.Option(
        "--markdown",
        metavar="",
        help="Print a table for a comment on a pull request.",
        rich_help_panel=_REPORT,
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="OLD.json",
        help="Say what changed since this report, saved from --json.",
        rich_help_panel=_REPORT,
    ),
]


def fit(
    models: Models = None,
    board: Boards = None,
    all_boards: AllFlag = False,
    kernels: Kernels = None,
    check: CheckFlag = False,
    config: Config = None,
    max_latency_ms: MaxLatency = None,
    max_ram: MaxRam = None,
    max_flash: MaxFlash = None,
    max_energy_uj: MaxEnergy = None,
    logging: LoggingFlag = False,
    int8_kernels: Int8Flag = False,
    strip_errors: StripFlag = False,
    by: By = None,
    markdown: MarkdownFlag = False,
    baseline: Baseline = None,
    as_json: JsonFlag = False,
) -> None:
    """Say whether MODEL fits a board: RAM, flash, latency and energy.

    RAM is the exact arena, the runtime's own data and the stack; flash is the
    model, the interpreter and the kernels that the model needs. Your application
    is not in it. Exit code 1: it does not fit, a budget is broken, or what was
    asked is unknown; with --all, it fits no board.

    Examples:
      tinyml fit model.tflite --board nucleo-l4r5zi
      tinyml fit model.tflite --all --max-latency-ms 100
      tinyml fit model.tflite --board esp32-s3-eye --board mine.toml --max-ram 128k
      tinyml fit --check --markdown --baseline main.json
    """
    from tinyml_cli.fitting.fit_models import FitRequest, fit_models, with_baseline
    from tinyml_profiles.flash import FlashOptions

    check = check or config is not None
    listed = None if by is None else one_of(by, "--by", ("op",))
    request = FitRequest(
        models=tuple(models or ()),
        boards=tuple(board or ()),
        all_boards=all_boards,
        kernels=kernels,
        budgets=_budgets(max_latency_ms, max_ram, max_flash, max_energy_uj),
        options=FlashOptions(
            is_logging=logging, is_int8_only=int8_kernels, is_stripped=strip_errors
        ),
        finds_remedies=not (check or markdown),
    )
    if check:
        from tinyml_cli.fitting.project import read_project

        request = request.completed(read_project(config))
    reports = fit_models(request)
    if baseline is not None:
        reports = with_baseline(reports, baseline)
    _show(reports, as_json=as_json, markdown=markdown, is_check=check, by=listed)
    if any(model.loads_nowhere for model in reports.models):
        raise typer.Exit(ExitCode.UNSUPPORTED_MODEL)
    if not reports.is_yes:
        raise typer.Exit(ExitCode.VERDICT_NO)


def _budgets(
    latency: str | None, ram: str | None, flash: str | None, energy: str | None
) -> Budgets:
    from tinyml_profiles.fit_report import Budgets

    return Budgets(
        None if latency is None else positive_number(latency, "--max-latency-ms", "ms"),
        None if ram is None else byte_size(ram, "--max-ram"),
        None if flash is None else byte_size(flash, "--max-flash"),
        None if energy is None else positive_number(energy, "--max-energy-uj", "uJ"),
    )


def _show(
    reports: FitReports, *, as_json: bool, markdown: bool, is_check: bool, by: str | None
) -> None:
    from tinyml_cli.render.show import show, show_text

    if as_json:
        from tinyml_cli.render.fit_json import fit as fit_json

        show_text(fit_json(reports))
    elif markdown:
        from tinyml_cli.render.fit_markdown import fit as fit_markdown

        show_text(fit_markdown(reports))
    else:
        from tinyml_cli.render import fit_tables

        show(fit_tables.check(reports) if is_check else fit_tables.fit(reports, by))
