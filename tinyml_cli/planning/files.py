"""The files that `tinyml plan` writes beside its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml_cli.destination import MARK, own_path, write_bytes
from tinyml_cli.model_file import STANDARD_INPUT
from tinyml_cli.planning.report import PlanReports
from tinyml_runtime import write_model
from tinyml_runtime.errors import InputError

_HEADERS = (".h", ".hpp", ".hh", ".hxx", ".inc")
_PICTURES = (".svg", ".png")


@dataclass(frozen=True, slots=True)
class FileRequest:
    """Which files the user asked for; paths as they were typed."""

    model: str | None = None
    plot: str | None = None
    header: str | None = None
    resolver: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Destinations:
    """The same as paths that can be written to."""

    model: Path | None = None
    plot: Path | None = None
    header: Path | None = None
    resolver: Path | None = None


def check_files(request: FileRequest, models: Sequence[str]) -> Destinations:
    """Where the files go; InputError before any work is done for what cannot be written."""
    used = [Path(model) for model in models if model != STANDARD_INPUT]
    if request.plot is not None and len(models) > 1:
        raise InputError("--plot draws one model; call it once for each")
    if request.model is not None and len(models) > 1:
        raise InputError("--write saves one model; call it once for each")

    def checked(text: str | None, suffixes: Sequence[str]) -> Path | None:
        return None if text is None else own_path(text, suffixes, used, force=request.force)

    places = Destinations(
        checked(request.model, (".tflite",)),
        checked(request.plot, _PICTURES),
        checked(request.header, _HEADERS),
        checked(request.resolver, _HEADERS),
    )
    if places.header is not None and places.resolver is not None:
        same = places.header.resolve() == places.resolver.resolve()
        if same:
            raise InputError("--header and --resolver need a file each")
    if places.plot is not None and places.plot.suffix.lower() == ".png":
        from tinyml_cli.render.png import check_pillow

        check_pillow(str(places.plot))
    return places


def write_files(places: Destinations, reports: PlanReports) -> PlanReports:
    """Write all of them, and say so in the last report; nothing for a model that does not load."""
    if any(report.plan is None for report in reports.reports):
        return reports
    contents = _contents(places, reports)
    for path, content in contents:
        write_bytes(path, content)
    *others, last = reports.reports
    written = [*last.written, *(f"{path}: written" for path, _ in contents)]
    return replace(reports, reports=[*others, replace(last, written=written)])


def _contents(places: Destinations, reports: PlanReports) -> list[tuple[Path, bytes]]:
    contents: list[tuple[Path, bytes]] = []
    new_model = reports.reports[0].new_model
    if places.model is not None and new_model is not None:
        contents.append((places.model, write_model(new_model)))
    if places.plot is not None:
        contents.append((places.plot, _picture(places.plot, reports)))
    if places.header is not None:
        from tinyml_cli.cpp.arena_header import arena_header

        contents.append((places.header, arena_header(reports, places.header).encode()))
    if places.resolver is not None:
        from tinyml_cli.cpp.resolver_header import resolver_header

        contents.append((places.resolver, resolver_header(reports, places.resolver).encode()))
    return contents


def _picture(path: Path, reports: PlanReports) -> bytes:
    from tinyml_cli.render.plan_figure import plan_figure

    report = reports.reports[0]
    if report.plan is None:
        return b""
    figure = plan_figure(report, report.plan)
    if path.suffix.lower() == ".png":
        from tinyml_cli.render.png import png

        return png(figure, MARK)
    from tinyml_cli.render.svg import svg

    return svg(figure, MARK).encode()
