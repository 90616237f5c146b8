"""`tinyml targets`: the cores and boards there are, and where their numbers are from."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.arguments import JsonFlag

Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME|FILE.toml]", help="A target; without it all are listed."),
]
New = Annotated[
    str | None,
    typer.Option(
        "--new", metavar="FILE.toml", help="Write a commented file for a board of your own."
    ),
]


def targets(name: Name = None, new: New = None, as_json: JsonFlag = False) -> None:
    """List cores and boards; with a NAME, every number of that target with its source.

    Examples:
      tinyml targets
      tinyml targets nucleo-l4r5zi
      tinyml targets --new mine.toml
      tinyml targets --json
    """
    if new is not None:
        _write(new, name, as_json)
        return
    from tinyml_cli.render import target_tables
    from tinyml_cli.render.show import show, show_text
    from tinyml_profiles.load import load_target, target_names

    if name is not None:
        target = load_target(name)
        if as_json:
            show_text(target_tables.one_json(target))
        else:
            show(target_tables.one(target))
        return
    known = [load_target(each) for each in target_names()]
    if as_json:
        show_text(target_tables.listing_json(known))
    else:
        show(target_tables.listing(known))


def _write(new: str, name: str | None, as_json: bool) -> None:
    from tinyml_cli.destination import new_path, write_bytes
    from tinyml_cli.render.show import show_notes
    from tinyml_profiles.new_board import new_board
    from tinyml_runtime.errors import InputError

    if name is not None or as_json:
        raise InputError("--new writes a file and shows no target: leave NAME and --json out")
    path = new_path(new, ".toml")
    write_bytes(path, new_board(path.stem).encode())
    show_notes([f"{path} is written; fill it in, then: tinyml targets {path}"])
