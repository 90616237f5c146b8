"""The picture that `tinyml profile` draws beside its report."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.destination import own_path, write_bytes
from tinyml_cli.model_file import STANDARD_INPUT
from tinyml_cli.profiling.profile_models import ProfileReport, ProfileRequest
from tinyml_runtime.errors import InputError

MARK = "Made by tinyml profile"
_SUFFIXES = (".svg", ".png")


def check_picture(text: str, request: ProfileRequest, *, force: bool) -> Path:
    """Where the picture goes; InputError before any work is done for what cannot be written."""
    if len(request.models) > 1 or len(request.targets) > 1 or request.all_cores:
        raise InputError("--plot draws one model on one target; call it once for each")
    used = [Path(model) for model in request.models if model != STANDARD_INPUT]
    path = own_path(text, _SUFFIXES, used, force=force)
    if path.suffix.lower() == ".png":
        from tinyml_cli.render.png import check_pillow

        check_pillow(str(path))
    return path


def write_picture(path: Path, report: ProfileReport) -> None:
    """Draw the bars and save them."""
    from tinyml_cli.render.latency_figure import latency_figure

    figure = latency_figure(report)
    if path.suffix.lower() == ".png":
        from tinyml_cli.render.png import png

        write_bytes(path, png(figure, MARK))
        return
    from tinyml_cli.render.svg import svg

    write_bytes(path, svg(figure, MARK).encode())
