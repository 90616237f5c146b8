"""A kernel library: the registrations by which it differs from the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

from tinyml_runtime.registration import Registration

# A kernel stands in a table as itself, or as "module:NAME": imported when a model needs it.
Entry: TypeAlias = Registration[Any] | str


@dataclass(frozen=True, slots=True)
class KernelLibrary:
    """A named table from operator names to kernels, laid over the reference table.

    A package offers its own through the entry point group `tinyml.kernel_libraries`.
    """

    name: str
    kernels: Mapping[str, Entry]

    def find(self, operator: str) -> Registration[Any] | None:
        """The own kernel for `operator`, or None where the library leaves that to the reference."""
        entry = self.kernels.get(operator)
        if not isinstance(entry, str):
            return entry
        module, _, name = entry.partition(":")
        return getattr(import_module(module), name)
