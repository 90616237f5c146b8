"""The `tinyml` command."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """`__version__`, looked up when it is asked for: finding it takes longer than this import."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tinyml-cli")
    except PackageNotFoundError:
        return "0+unknown"
