"""OpResolver: the kernels of one library, the reference standing in where it has none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinyml_runtime.arena_use import ArenaUse
from tinyml_runtime.errors import LibraryError
from tinyml_runtime.kernels import LIBRARIES, REFERENCE
from tinyml_runtime.library import KernelLibrary, base_name, switches_in
from tinyml_runtime.registration import Registration
from tinyml_runtime.workload import CountLoops

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "tinyml.kernel_libraries"


@dataclass(frozen=True, slots=True)
class OpResolver:
    """Finds the kernel of an operator in a library, else in the reference."""

    library: KernelLibrary = REFERENCE

    @classmethod
    def for_library(cls, library: str | KernelLibrary) -> OpResolver:
        """The resolver of a library, itself or by name; LibraryError for an unknown name.

        A name may go on with build switches, each behind a colon: "reference:single-rounding".
        """
        if isinstance(library, KernelLibrary):
            return cls(library)
        found = _library(base_name(library))
        for switch in switches_in(library):
            found = found.built_with(switch)
        return cls(found)

    def find(self, operator: str) -> Registration[Any] | None:
        """The kernel for `operator`, a builtin name or a custom code; None where there is none."""
        return self.library.find(operator) or REFERENCE.find(operator)

    def find_arena_use(self, operator: str) -> ArenaUse | None:
        """What the kernel for `operator` asks of the arena; None where nobody says."""
        own = self.library.find_arena_use(operator)
        if own is not None or (self.library is not REFERENCE and operator in self.library.kernels):
            return own
        return REFERENCE.find_arena_use(operator)

    def find_workload(self, operator: str) -> CountLoops | None:
        """Which loops the kernel for `operator` runs; None where nobody says."""
        own = self.library.find_workload(operator)
        if own is not None or (self.library is not REFERENCE and operator in self.library.kernels):
            return own
        return REFERENCE.find_workload(operator)

    def operators(self) -> tuple[str, ...]:
        """The names of all operators that have a kernel, sorted."""
        return tuple(sorted({*REFERENCE.kernels, *self.library.kernels}))


def library_names() -> tuple[str, ...]:
    """The kernel libraries at hand: our own, then those that other packages install."""
    installed = (entry.name for entry in _installed())
    return tuple(dict.fromkeys([*(library.name for library in LIBRARIES), *installed]))


def _library(name: str) -> KernelLibrary:
    known = next((library for library in LIBRARIES if library.name == name), None)
    return _load_installed(name) if known is None else known


def _installed() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # slow to import, and seldom needed

    return entry_points(group=ENTRY_POINT_GROUP)


def _load_installed(name: str) -> KernelLibrary:
    for entry in _installed():
        if entry.name == name:
            return _load(entry)
    raise LibraryError(f"no kernel library '{name}' (there are: {', '.join(library_names())})")


def _load(entry: EntryPoint) -> KernelLibrary:
    try:
        library = entry.load()
    except Exception as error:  # foreign code: whatever it raises, say whose it is
        raise LibraryError(f"kernel library '{entry.name}' ({entry.value}): {error}") from error
    if not isinstance(library, KernelLibrary):
        raise LibraryError(f"kernel library '{entry.name}' ({entry.value}) is no KernelLibrary")
    return library
