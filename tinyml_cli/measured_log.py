"""The logs of measured runs that commands are given."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from tinyml_cli.arguments import one_of, positive_number, whole_number
from tinyml_cli.inputs.paths import existing_file, read_bytes
from tinyml_cli.model_file import STANDARD_INPUT, ModelFile
from tinyml_profiles.logs.read import read_log
from tinyml_profiles.logs.records import Log
from tinyml_profiles.logs.units import UNITS, Timing
from tinyml_profiles.target import Target
from tinyml_runtime.errors import InputError
from tinyml_runtime.resolver import library_names

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class LogOptions(NamedTuple):
    """What the user says about ticks, as it was typed."""

    unit: str | None = None
    ticks_per_second: str | None = None
    invocations: str | None = None

    def timing(self) -> Timing:
        """The same as values; InputError for what does not fit."""
        if self.unit is not None and self.ticks_per_second is not None:
            raise InputError("--unit and --ticks-per-second say the same; give one of them")
        return Timing(
            None if self.unit is None else one_of(self.unit, "--unit", UNITS),
            None
            if self.ticks_per_second is None
            else positive_number(self.ticks_per_second, "--ticks-per-second", "ticks"),
            None,
            None
            if self.invocations is None
            else whole_number(self.invocations, "--invocations", 1),
        )


def open_log(path: str, model: ModelFile) -> Log:
    """What the log in the file `path`, or on standard input for -, says about a model."""
    if path == STANDARD_INPUT:
        content, name = sys.stdin.buffer.read(), "<standard input>"
    else:
        content, name = read_bytes(existing_file(path)), path
    return read_log(_text(content), name, PurePath(model.path).name, model.sha256)


def run_clock_hz(logs: Sequence[Log], asked_mhz: float | None, target: Target) -> float | None:
    """The clock of the runs: as asked for, as the logs say, or the board's usual one."""
    if asked_mhz is not None:
        return asked_mhz * 1e6
    said = {log.facts.clock_mhz for log in logs if log.facts.clock_mhz}
    if len(said) > 1:
        listed = " and ".join(f"{mhz:g}" for mhz in sorted(said))
        raise InputError(f"the logs are of runs at {listed} MHz; calibrate each clock by itself")
    if said:
        return said.pop() * 1e6
    return target.board.clock_hz.value if target.board else None


def run_library(logs: Sequence[Log], asked: str | None, target: Target) -> str:
    """The kernels of the runs: as asked for, as the logs say, or the board's usual ones."""
    if asked is not None:
        return asked
    known = library_names()
    said = {log.facts.library or "" for log in logs}.intersection(known)
    if len(said) == 1:
        return said.pop()
    return "reference" if target.board is None else target.board.library


def _text(content: bytes) -> str:
    """Text as terminals save it; bytes that a serial line broke stay as a mark."""
    if content.startswith(_WIDE):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")
