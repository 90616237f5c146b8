"""A figure as PNG, drawn with Pillow."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any

from tinyml_cli.render.figure import WHITE, Anchor, Box, Figure, Line, Shape, Words
from tinyml_runtime.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image as ImageType
    from PIL.ImageDraw import ImageDraw

_SCALE = 2
_PLACES = {Anchor.START: "ls", Anchor.MIDDLE: "ms", Anchor.END: "rs"}


def check_pillow(path: str) -> None:
    """InputError where Pillow is not installed."""
    if find_spec("PIL") is None:
        raise InputError(
            f"{path}: a .png needs Pillow (pip install 'tinyml-cli[image]'); a .svg needs nothing"
        )


def png(figure: Figure, mark: str) -> bytes:
    """The content of the file; it holds `mark` as a text."""
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    image = Image.new("RGB", (figure.width * _SCALE, figure.height * _SCALE), WHITE)
    draw = ImageDraw.Draw(image)
    for shape in figure.shapes:
        _draw(image, draw, shape)
    info = PngInfo()
    info.add_text("Software", mark)
    info.add_text("Title", figure.title.encode("latin-1", "replace").decode("latin-1"))
    stream = BytesIO()
    image.save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def _draw(image: ImageType, draw: ImageDraw, shape: Shape) -> None:
    match shape:
        case Box():
            corners = shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
            pixels = [round(value * _SCALE) for value in corners]
            draw.rectangle(pixels, shape.fill, shape.outline)
        case Line():
            points = [(x * _SCALE, y * _SCALE) for x, y in shape.points]
            draw.line(points, shape.colour, round(shape.width * _SCALE))
        case Words() if shape.turned:
            _draw_turned(image, shape)
        case Words():
            place = shape.x * _SCALE, shape.y * _SCALE
            anchor = _PLACES[shape.anchor]
            draw.text(place, shape.text, shape.colour, _font(shape.size), anchor=anchor)


def _draw_turned(image: ImageType, words: Words) -> None:
    """Text that runs upwards: drawn flat as a mask, which is turned and then filled."""
    from PIL import Image, ImageDraw

    font = _font(words.size)
    length = round(font.getlength(words.text)) + 2
    above, below = font.getmetrics()
    mask = Image.new("L", (length, above + below), 0)
    ImageDraw.Draw(mask).text((0, above), words.text, 255, font, anchor="ls")
    mask = mask.transpose(Image.Transpose.ROTATE_90)
    shift = {Anchor.START: length, Anchor.MIDDLE: length // 2, Anchor.END: 0}[words.anchor]
    place = round(words.x * _SCALE) - above, round(words.y * _SCALE) - shift
    image.paste(words.colour, (*place, place[0] + mask.width, place[1] + mask.height), mask)


@cache
def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size * _SCALE)
