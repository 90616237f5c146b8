"""Options that say what a model is fed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_cli.arguments import one_of, whole_number

if TYPE_CHECKING:
    from tinyml_cli.inputs.read import ReadOptions

_INPUTS = "Inputs"

InputFiles = Annotated[
    list[str] | None,
    typer.Option(
        "-i",
        "--input",
        metavar="[NAME=]FILE",
        help="Values for an input: .npy .npz .csv .json .bin .png .jpg .bmp .wav, or a folder with "
        "a file for each sample. NAME is a tensor name, a signature's name or an index. "
        "Repeatable.",
        rich_help_panel=_INPUTS,
    ),
]
Values = Annotated[
    str,
    typer.Option(
        metavar="auto|real|stored",
        help="How numbers for a quantized input are meant. auto: floating-point types are real "
        "values and are quantized, whole-number types are stored values.",
        rich_help_panel=_INPUTS,
    ),
]
Resize = Annotated[
    bool,
    typer.Option(
        "--resize",
        metavar="",
        help="Bring images to the input's size (bilinear) and channels.",
        rich_help_panel=_INPUTS,
    ),
]
ImageRange = Annotated[
    str | None,
    typer.Option(
        metavar="unit|signed|raw|centered",
        help="What pixels become: 0..1, -1..1, 0..255 or -128..127. Without it: what the input's "
        "quantization tells; unit for a float input.",
        rich_help_panel=_INPUTS,
    ),
]
Channel = Annotated[
    str | None,
    typer.Option(
        metavar="N", help="Which channel of a .wav file, from 0 on.", rich_help_panel=_INPUTS
    ),
]
ResetBetween = Annotated[
    bool,
    typer.Option(
        "--reset-between",
        metavar="",
        help="Give each sample a fresh state. Without it, samples are a sequence for a model that "
        "keeps state.",
    ),
]


def read_options(
    values: str, image_range: str | None, channel: str | None, *, resize: bool
) -> ReadOptions:
    """How files are to be read, from the options as they were typed; InputError for wrong ones."""
    from tinyml_cli.inputs.images import RANGES
    from tinyml_cli.inputs.read import MEANINGS, ReadOptions

    return ReadOptions(
        MEANINGS[one_of(values, "--values", tuple(MEANINGS))],
        resize,
        image_range and one_of(image_range, "--image-range", tuple(RANGES)),
        None if channel is None else whole_number(channel, "--channel", 0),
    )
