"""A kernel library: the registrations by which it differs from the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

from tinyml_runtime.arena_use import ArenaUse
from tinyml_runtime.registration import Registration
from tinyml_runtime.workload import CountLoops

EntryT = TypeVar("EntryT")
# What stands in a table as itself, or as "module:NAME": imported when a model needs it.
Entry: TypeAlias = Registration[Any] | str
ArenaEntry: TypeAlias = ArenaUse | str
WorkEntry: TypeAlias = CountLoops | str


def _no_uses() -> Mapping[str, ArenaEntry]:
    return {}


def _no_workloads() -> Mapping[str, WorkEntry]:
    return {}


@dataclass(frozen=True, slots=True)
class KernelLibrary:
    """Tables from operator names to what the library does otherwise than the reference.

    `kernels` are those that compute otherwise or refuse other models; `arena_uses` say what
    kernels ask of the arena, and `workloads` which loops they run, where that is something else. A
    kernel that is only in `kernels` may ask for anything and run for as long as it likes: arena and
    latency of a model with it are unknown.

    A package offers its own library through the entry point group `tinyml.kernel_libraries`.
    """

    name: str
    kernels: Mapping[str, Entry]
    arena_uses: Mapping[str, ArenaEntry] = field(default_factory=_no_uses)
    workloads: Mapping[str, WorkEntry] = field(default_factory=_no_workloads)

    def find(self, operator: str) -> Registration[Any] | None:
        """The own kernel for `operator`, or None where the library leaves that to the reference."""
        return _load(self.kernels.get(operator))

    def find_arena_use(self, operator: str) -> ArenaUse | None:
        """What the own kernel asks of the arena; None where the library does not say."""
        return _load(self.arena_uses.get(operator))

    def find_workload(self, operator: str) -> CountLoops | None:
        """Which loops the own kernel runs; None where the library does not say."""
        return _load(self.workloads.get(operator))


def _load(entry: EntryT | str | None) -> EntryT | None:
    if not isinstance(entry, str):
        return entry
    module, _, name = entry.partition(":")
    return getattr(import_module(module), name)
