"""The Typer app: the list of commands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated

import typer

from tinyml_cli.arguments import ExitCode, PlainCommand, PlainGroup
from tinyml_cli.commands.calibrate import calibrate
from tinyml_cli.commands.compare import compare
from tinyml_cli.commands.fit import fit
from tinyml_cli.commands.plan import plan
from tinyml_cli.commands.profile import profile
from tinyml_cli.commands.run import run
from tinyml_cli.commands.targets import targets
from tinyml_cli.render.units import printable
from tinyml_runtime.errors import TinymlError

COMMANDS = (run, compare, plan, profile, fit, calibrate, targets)

app = typer.Typer(
    name="tinyml",
    cls=PlainGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    app.command(cls=PlainCommand)(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from tinyml_cli import __version__

        typer.echo(f"tinyml {__version__}")
        raise typer.Exit


@app.callback()
def tinyml(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            help="Print the version.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Run, compare, plan and profile .tflite models as TFLM does, without a board.

    Exit codes: 0 done, or yes; 1 the verdict is no; 2 wrong usage or bad input;
    3 the model cannot be read; 4 the model needs an operator, a type or a target
    that is not there.
    """


def main() -> None:
    """Run the app; what the user can mend becomes a message and an exit code."""
    # Models for microcontrollers are too small for BLAS to share out: its threads only wait, and
    # that takes as much processor time as all the rest of a short run.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Importing makes many objects and no garbage: looking for it is a tenth of a short run.
    gc.set_threshold(100_000)
    try:
        app(prog_name="tinyml")
    except TinymlError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except MemoryError as error:
        print(f"error: the model needs more memory than there is: {error}", file=sys.stderr)
        sys.exit(ExitCode.USAGE)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
