"""Why a graph cannot be had in another form."""

from __future__ import annotations

from tinyml_runtime.errors import TinymlError


class RewriteError(TinymlError):
    """A graph that cannot be had in another form; the message names the node, if it is one."""
