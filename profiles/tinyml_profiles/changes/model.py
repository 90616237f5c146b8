"""Changes that make another model of it: int8, a smaller input, an operator less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyml_profiles.changes.case import Case, Remedy
from tinyml_profiles.fit_report import FLASH
from tinyml_profiles.rewriting.errors import RewriteError
from tinyml_profiles.rewriting.narrow import narrowed, wide_types
from tinyml_profiles.rewriting.scale import image_size, scaled, smaller_sizes
from tinyml_profiles.shared_model import FitModel


def narrower(case: Case) -> Iterator[Remedy | str]:
    """The same graph in int8."""
    wide = wide_types(case.model.model)
    if not wide:
        return
    try:
        model = FitModel(narrowed(case.model.model))
    except RewriteError as error:
        yield f"int8: {error}"
        return
    what = f"int8 instead of {' and '.join(wide)}"
    remedy = case.changed(what, "convert with full integer quantization", model)
    yield f"int8: {remedy.report.refused[0]}" if remedy.report.refused else remedy


def smaller_image(case: Case) -> Iterator[Remedy | str]:
    """The largest image with which it fits; with flash too small, no image helps."""
    if case.report.refused or case.is_short_of(FLASH):
        return
    model = case.model.model
    try:
        height, width = image_size(model)
    except RewriteError as error:
        yield f"a smaller input: {error}"
        return
    reason, tried = "", ""
    for rows, columns in smaller_sizes(height, width):
        try:
            smaller = FitModel(scaled(model, rows, columns), case.model.file_bytes)
        except RewriteError as error:
            reason = reason or str(error)
            continue
        what = f"an input of {rows}x{columns} instead of {height}x{width}"
        remedy = case.changed(what, "train and convert for this size", smaller)
        if remedy.is_enough:
            yield remedy
            return
        tried = f"not even {rows}x{columns} is enough"
    yield f"a smaller input: {tried or reason or f'{height}x{width} is small already'}"


def without_kernel(case: Case) -> Iterator[Remedy | str]:
    """Flash without the operator whose code takes most, and nothing else needs."""
    flash = case.report.flash
    if flash is None or not case.is_short_of(FLASH):
        return
    kernels = [kernel for kernel in flash.kernels if kernel.own_bytes]
    if not kernels:
        return
    largest = max(kernels, key=lambda kernel: kernel.own_bytes or 0)
    own = largest.own_bytes or 0
    needs = [
        replace(need, needed=need.needed - own)
        if need.name == FLASH and need.needed is not None
        else need
        for need in case.report.needs
    ]
    yield Remedy(
        f"without {largest.operator}, whose code is the largest ({own:,} bytes)",
        "another model, or the application does its work",
        replace(case.report, needs=needs),
    )
