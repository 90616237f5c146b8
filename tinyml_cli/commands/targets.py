"""`tinyml targets`: the cores and boards there are, and where their numbers are from."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.arguments import JsonFlag

Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME|FILE.toml]", help="A target; without it all are listed."),
]


def targets(name: Name = None, as_json: JsonFlag = False) -> None:
    """List cores and boards; with a NAME, every number of that target with its source.

    Examples:
      tinyml targets
      tinyml targets nucleo-l4r5zi
      tinyml targets --json
    """
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
