"""Text of a log to what it says: the format is recognised by its lines."""

from __future__ import annotations

from tinyml_profiles.logs import (
    event_csv,
    mcufit,
    micro_profiler,
    operator_csv,
    runner_laps,
    tag_csv,
)
from tinyml_profiles.logs.lines import split_lines
from tinyml_profiles.logs.records import Log
from tinyml_runtime.errors import InputError

# Those that say most about each operator first: generic_benchmark prints several of them.
_FORMATS = (
    micro_profiler.read,
    event_csv.read,
    tag_csv.read,
    runner_laps.read,
    operator_csv.read,
)
_KNOWN = (
    "MicroProfiler's Log(), LogCsv() and LogTicksPerTagCsv(), generic_benchmark, mcufit-bench, "
    "m-lap-us lines of the MLPerf Tiny runner, a CSV of operator,microseconds"
)


def read_log(text: str, source: str, model: str = "", model_sha256: str = "") -> Log:
    """What the log `text`, from the file `source`, says about a model.

    `model` and `model_sha256`, the model's file name and checksum, choose among several models
    where the log names them.

    Raises:
        InputError: it is empty, in no known format, defective, or of another model.
    """
    lines = split_lines(text)
    if not lines:
        raise InputError(f"{source}: the log is empty")
    log = mcufit.read(lines, source, model, model_sha256)
    if log is not None:
        return log
    for read in _FORMATS:
        log = read(lines, source)
        if log is not None:
            return log
    raise InputError(f"{source}: no line with a measured time; what is read: {_KNOWN}")
