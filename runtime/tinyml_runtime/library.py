"""A kernel library: the registrations by which it differs from the reference.

A library can be built in several ways. What a build switch changes is part of the library: a name
with a switch behind a colon, as in "cmsis-nn:single-rounding", is the library built so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

from tinyml_runtime.arena_use import ArenaUse
from tinyml_runtime.errors import LibraryError
from tinyml_runtime.registration import Registration
from tinyml_runtime.workload import CountLoops

EntryT = TypeVar("EntryT")
# What stands in a table as itself, or as "module:NAME": imported when a model needs it.
Entry: TypeAlias = Registration[Any] | str
ArenaEntry: TypeAlias = ArenaUse | str
WorkEntry: TypeAlias = CountLoops | str
BuildEntry: TypeAlias = "Callable[[KernelLibrary], KernelLibrary] | str"

_SEPARATOR = ":"


def _no_uses() -> Mapping[str, ArenaEntry]:
    return {}


def _no_workloads() -> Mapping[str, WorkEntry]:
    return {}


def _no_switches() -> Mapping[str, Switch]:
    return {}


@dataclass(frozen=True, slots=True)
class Switch:
    """A build switch: in words, and what makes the library that is built with it."""

    words: str
    build: BuildEntry


@dataclass(frozen=True, slots=True)
class KernelLibrary:
    """Tables from operator names to what the library does otherwise than the reference.

    `kernels` are those that compute otherwise or refuse other models; `arena_uses` say what
    kernels ask of the arena, and `workloads` which loops they run, where that is something else. A
    kernel that is only in `kernels` may ask for anything and run for as long as it likes: arena and
    latency of a model with it are unknown. `switches` are the ways to build it otherwise.

    A package offers its own library through the entry point group `tinyml.kernel_libraries`.
    """

    name: str
    kernels: Mapping[str, Entry]
    arena_uses: Mapping[str, ArenaEntry] = field(default_factory=_no_uses)
    workloads: Mapping[str, WorkEntry] = field(default_factory=_no_workloads)
    switches: Mapping[str, Switch] = field(default_factory=_no_switches)

    def built_with(self, switch: str) -> KernelLibrary:
        """The library as it is with a build switch; LibraryError where it has no such switch."""
        if switch not in self.switches:
            has = f"it has: {', '.join(self.switches)}" if self.switches else "it has none"
            raise LibraryError(f"kernel library '{self.name}' has no switch '{switch}' ({has})")
        build = load_entry(self.switches[switch].build)
        others = {name: each for name, each in self.switches.items() if name != switch}
        return replace(build(self), name=f"{self.name}{_SEPARATOR}{switch}", switches=others)

    def find(self, operator: str) -> Registration[Any] | None:
        """The own kernel for `operator`, or None where the library leaves that to the reference."""
        return _find(self.kernels, operator)

    def find_arena_use(self, operator: str) -> ArenaUse | None:
        """What the own kernel asks of the arena; None where the library does not say."""
        return _find(self.arena_uses, operator)

    def find_workload(self, operator: str) -> CountLoops | None:
        """Which loops the own kernel runs; None where the library does not say."""
        return _find(self.workloads, operator)


def base_name(name: str) -> str:
    """The name of a library without its switches."""
    return name.partition(_SEPARATOR)[0]


def switches_in(name: str) -> tuple[str, ...]:
    """The switches that a library's name asks for."""
    return tuple(name.split(_SEPARATOR)[1:])


def load_entry(entry: EntryT | str) -> EntryT:
    """What stands in a table; a name of the form "module:NAME" is imported."""
    if not isinstance(entry, str):
        return entry
    module, _, name = entry.partition(":")
    return getattr(import_module(module), name)


def _find(table: Mapping[str, EntryT | str], operator: str) -> EntryT | None:
    return load_entry(table[operator]) if operator in table else None
