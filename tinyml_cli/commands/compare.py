"""`tinyml compare`: outputs beside another runtime's, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_cli.arguments import (
    ExitCode,
    JsonFlag,
    KernelsName,
    ModelPath,
    positive_number,
    whole_number,
)
from tinyml_cli.commands.input_options import (
    Channel,
    ImageRange,
    InputFiles,
    ResetBetween,
    Resize,
    Values,
    read_options,
)

if TYPE_CHECKING:
    from tinyml_cli.comparing.report import CompareReport

_SIDES, _INPUTS, _REPORT = "Sides", "Inputs", "Report"

AgainstName = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="NAME|OTHER.tflite",
        help="The other side: tflite (LiteRT as it comes, with XNNPACK; the default), tflite-ref "
        "(its reference kernels), tflm (the tflite-micro wheel), a kernel library, or a model.",
        rich_help_panel=_SIDES,
    ),
]
TimeLimit = Annotated[
    str,
    typer.Option(
        metavar="SECONDS",
        help="The most processor time that tflite or tflm may take for a part of the samples.",
        rich_help_panel=_SIDES,
    ),
]
SampleCount = Annotated[
    str | None,
    typer.Option(
        "--samples",
        metavar="N",
        help="So many random samples, from --seed (0 without it). One without -i.",
        rich_help_panel=_INPUTS,
    ),
]
Seed = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Where random values begin. With -i: random values for inputs without a file.",
        rich_help_panel=_INPUTS,
    ),
]
Expected = Annotated[
    str | None,
    typer.Option(
        metavar="[NAME=]FILE",
        help="Expected values of an output, the first if no NAME is given: score both sides, and "
        "list the samples for which they prefer different classes.",
        rich_help_panel=_REPORT,
    ),
]
LayersFlag = Annotated[
    bool,
    typer.Option(
        "--layers",
        metavar="",
        help="Compare each operator too: as the two runs went (inherited), and alone on the other "
        "side's inputs (injected).",
        rich_help_panel=_REPORT,
    ),
]
HealthFlag = Annotated[
    bool,
    typer.Option(
        "--health",
        metavar="",
        help="Say what the model's quantization wastes, loses or endangers on these samples, with "
        "a remedy each; with a float model as the other side, which layers lose most.",
        rich_help_panel=_REPORT,
    ),
]
ToleranceSteps = Annotated[
    str,
    typer.Option(
        "--tolerance",
        metavar="STEPS",
        help="How many quantization steps an element may differ.",
        rich_help_panel=_REPORT,
    ),
]
FloatTolerance = Annotated[
    str,
    typer.Option(
        metavar="SHARE",
        help="How far a float may differ, as a share of its magnitude plus a tenth of the largest "
        "in its sample. Floats have no steps.",
        rich_help_panel=_REPORT,
    ),
]
ReproFolder = Annotated[
    str | None,
    typer.Option(
        "--write-repro",
        metavar="DIR",
        help="Write each operator that differs without a known cause as a model of its own, with "
        "its input and a script that runs it in LiteRT and TFLM.",
        rich_help_panel=_REPORT,
    ),
]
ForceFlag = Annotated[
    bool,
    typer.Option(
        "--force",
        metavar="",
        help="Write into a folder that is not empty.",
        rich_help_panel=_REPORT,
    ),
]


def compare(
    model: ModelPath,
    against: AgainstName = None,
    kernels: KernelsName = "reference",
    inputs: InputFiles = None,
    samples: SampleCount = None,
    seed: Seed = None,
    values: Values = "auto",
    resize: Resize = False,
    image_range: ImageRange = None,
    channel: Channel = None,
    reset_between: ResetBetween = False,
    layers: LayersFlag = False,
    health: HealthFlag = False,
    expect: Expected = None,
    tolerance: ToleranceSteps = "0",
    float_tolerance: FloatTolerance = "1e-4",
    write_repro: ReproFolder = None,
    force: ForceFlag = False,
    time_limit: TimeLimit = "120",
    as_json: JsonFlag = False,
) -> None:
    """Run MODEL here and elsewhere, and say where the results part.

    Exit code 0: identical, or within the tolerance; 1: they differ. Whole numbers
    are compared in quantization steps. Floats have none: they are within the
    tolerance when no element differs by more than --float-tolerance. NaN is never
    equal to a number, and is counted.

    Examples:
      tinyml compare model.tflite --samples 100 --layers
      tinyml compare model.tflite --against tflm -i samples.npz
      tinyml compare model.tflite --against tflite-ref --tolerance 1
      tinyml compare model.tflite --kernels cmsis-nn --against reference
      tinyml compare int8.tflite --against float.tflite -i x.npy --expect y.npy
    """
    from tinyml_cli.comparing.compare_models import CompareRequest, compare_models
    from tinyml_cli.comparing.report import Tolerance
    from tinyml_cli.inputs.gather import InputRequest
    from tinyml_cli.render.progress import progress_bar

    options = read_options(values, image_range, channel, resize=resize)
    random_seed = None if seed is None else whole_number(seed, "--seed", 0)
    request = CompareRequest(
        model=model,
        inputs=InputRequest(tuple(inputs or ()), random_seed, options),
        samples=None if samples is None else whole_number(samples, "--samples", 1),
        kernels=kernels,
        against=against,
        layers=layers,
        health=health,
        tolerance=Tolerance(
            whole_number(tolerance, "--tolerance", 0),
            positive_number(float_tolerance, "--float-tolerance", "share of the magnitude"),
        ),
        expected=expect,
        reset_between=reset_between,
        seconds=whole_number(time_limit, "--time-limit", 1),
        repro=write_repro,
        force=force,
    )
    with progress_bar() as on_progress:
        report = compare_models(request, on_progress)
    _show(report, as_json)
    if report.verdict == "differs":
        raise typer.Exit(ExitCode.VERDICT_NO)


def _show(report: CompareReport, as_json: bool) -> None:
    from tinyml_cli.render.show import show, show_notes, show_text

    show_notes(report.notes)
    if as_json:
        from tinyml_cli.render import compare_json

        show_text(compare_json.compare(report))
        return
    from tinyml_cli.render import compare_tables

    show(compare_tables.compare(report))
