"""A figure as SVG."""

from __future__ import annotations

from html import escape

from tinyml_cli.render.figure import Box, Figure, Line, Shape, Words

_FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"


def svg(figure: Figure, mark: str) -> str:
    """The text of the file; its first line holds `mark`."""
    size = f'width="{figure.width}" height="{figure.height}"'
    lines = [
        f"<!-- {mark} -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {figure.width} {figure.height}" font-family="{_FONT}">',
        f"<title>{_text(figure.title)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        *map(_shape, figure.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _shape(shape: Shape) -> str:
    match shape:
        case Box():
            return _box(shape)
        case Words():
            return _words(shape)
        case Line():
            points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
            return (
                f'<polyline points="{points}" fill="none" stroke="{shape.colour}" '
                f'stroke-width="{_number(shape.width)}"/>'
            )


def _box(box: Box) -> str:
    place = (
        f'x="{_number(box.x)}" y="{_number(box.y)}" '
        f'width="{_number(box.width)}" height="{_number(box.height)}"'
    )
    paint = f'fill="{box.fill or "none"}" stroke="{box.outline}" stroke-width="0.6"'
    if not box.title:
        return f"<rect {place} {paint}/>"
    return f"<rect {place} {paint}><title>{_text(box.title)}</title></rect>"


def _words(words: Words) -> str:
    x, y = _number(words.x), _number(words.y)
    turn = f' transform="rotate(-90 {x} {y})"' if words.turned else ""
    # What is under a text keeps its tooltip.
    return (
        f'<text x="{x}" y="{y}" font-size="{_number(words.size)}" '
        f'text-anchor="{words.anchor.value}" fill="{words.colour}" '
        f'pointer-events="none"{turn}>{_text(words.text)}</text>'
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    """Escaped, without characters that XML does not have."""
    return escape("".join(c if c.isprintable() or c == "\n" else "?" for c in text))
