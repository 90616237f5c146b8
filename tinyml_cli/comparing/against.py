"""What `--against` names: a foreign runtime, another model, or a kernel library."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.model_file import STANDARD_INPUT, open_model
from tinyml_runtime.comparison.compare import Against
from tinyml_runtime.comparison.foreign import FOREIGN_RUNTIMES
from tinyml_runtime.errors import InputError
from tinyml_runtime.resolver import library_names

DEFAULT = "tflite"
RUNTIMES = ("tflite", "tflite-ref", "tflm")


def find_against(text: str | None, library: str | None = None) -> Against:
    """The other side; InputError where there is no such thing, or its package is missing.

    Where the default one is not installed, `library` takes its place, if one is given.
    """
    if text is None:
        runtime = FOREIGN_RUNTIMES[DEFAULT]
        if not runtime.is_installed and library is not None:
            return Against(library, library=library)
        if not runtime.is_installed:
            raise InputError(
                f"what shall it be compared with? Without --against it is {runtime.title}: "
                f"pip install 'tinyml-cli[{runtime.extra}]'. {_choices()}"
            )
        return Against(DEFAULT, foreign=DEFAULT)
    if text in RUNTIMES:
        FOREIGN_RUNTIMES[text].check_installed()
        return Against(text, foreign=text)
    # Build switches may follow the name of a library, each behind a colon.
    if text.partition(":")[0] in library_names():
        return Against(text, library=text)
    if text == STANDARD_INPUT or Path(text).suffix == ".tflite" or Path(text).is_file():
        model, _ = open_model(text)
        return Against(text, model=model)
    raise InputError(f"--against: there is no '{text}'. {_choices()}")


def _choices() -> str:
    libraries = ", ".join(library_names())
    return f"It takes {', '.join(RUNTIMES)}, a kernel library ({libraries}) or a .tflite file"
