"""`tinyml run`: run a model on inputs; show, save and score the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_cli.arguments import JsonFlag, KernelsName, ModelPath, whole_number
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
    from tinyml_cli.running.report import RunReport

_INPUTS, _OUTPUTS = "Inputs", "Outputs"

Seed = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Random values for inputs without a file; without it they are zeros.",
        rich_help_panel=_INPUTS,
    ),
]

SaveTo = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT.npz",
        help="Save the outputs as output_0, output_1, ... in the tensors' own types.",
        rich_help_panel=_OUTPUTS,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Names of the classes, one a line.", rich_help_panel=_OUTPUTS
    ),
]
Expected = Annotated[
    str | None,
    typer.Option(
        metavar="[NAME=]FILE",
        help="Score an output, the first if no NAME is given. Class numbers or one-hot rows give "
        "accuracy and confusion matrix, other values the mean absolute error.",
        rich_help_panel=_OUTPUTS,
    ),
]
TraceFlag = Annotated[
    bool,
    typer.Option(
        "--trace", metavar="", help="Show each operator: output, range of real values, host time."
    ),
]
Repeat = Annotated[
    str, typer.Option(metavar="N", help="Invoke N times, for the median of the host time.")
]
InArena = Annotated[
    bool,
    typer.Option(
        "--in-arena",
        metavar="",
        help="Lay the tensors over each other as TFLM's planner does on the device.",
    ),
]
MaxNestedInvocations = Annotated[
    str,
    typer.Option(
        metavar="N",
        help="How often nodes may run other subgraphs within one invocation (two a turn of a "
        "loop): a loop without end stops there.",
    ),
]


def run(
    model: ModelPath,
    inputs: InputFiles = None,
    seed: Seed = None,
    values: Values = "auto",
    resize: Resize = False,
    image_range: ImageRange = None,
    channel: Channel = None,
    save_to: SaveTo = None,
    labels: Labels = None,
    expect: Expected = None,
    as_json: JsonFlag = False,
    trace: TraceFlag = False,
    repeat: Repeat = "1",
    reset_between: ResetBetween = False,
    in_arena: InArena = False,
    max_nested_invocations: MaxNestedInvocations = "1000000",
    kernels: KernelsName = "reference",
) -> None:
    """Run MODEL on inputs; show, save and score its outputs.

    Integer results are those of TensorFlow Lite Micro, bit for bit.

    An input file holds one sample, of the input's shape, or N samples, of shape
    [N, ...]. Samples may be flat, and dimensions of 1 do not matter. A .csv file
    has a row for each sample. With N samples the model runs N times.

    Examples:
      tinyml run model.tflite --seed 0
      tinyml run model.tflite -i samples.npz -o out.npz
      tinyml run model.tflite -i photo.png --resize --labels labels.txt
      tinyml run model.tflite -i samples.npz --expect classes.npy
      tinyml run model.tflite -i audio=clip.wav -i gain=gain.npy --json
    """
    from tinyml_cli.inputs.gather import InputRequest
    from tinyml_cli.render.progress import progress_bar
    from tinyml_cli.running.execute import ExecutionOptions
    from tinyml_cli.running.run_model import RunRequest, run_model

    options = read_options(values, image_range, channel, resize=resize)
    random_seed = None if seed is None else whole_number(seed, "--seed", 0)
    request = RunRequest(
        model=model,
        inputs=InputRequest(tuple(inputs or ()), random_seed, options),
        kernels=kernels,
        execution=ExecutionOptions(whole_number(repeat, "--repeat", 1), trace, reset_between),
        labels=labels,
        expected=expect,
        save_to=save_to,
        max_nested_invocations=whole_number(max_nested_invocations, "--max-nested-invocations", 1),
        in_arena=in_arena,
    )
    with progress_bar() as on_progress:
        report = run_model(request, on_progress)
    _show(report, as_json)


def _show(report: RunReport, as_json: bool) -> None:
    from tinyml_cli.render import machine
    from tinyml_cli.render.show import show, show_notes, show_text

    show_notes(report.notes)
    if as_json:
        show_text(machine.run(report))
        return
    from tinyml_cli.render import tables

    show(tables.run(report))
