"""Every kernel says what it asks of the arena, in structures that the table of every ABI has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conformance.suite import CASES
from tinyml_runtime.kernels import LIBRARIES
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.memory.abi import Abi, Layout, abi_names, load_abi, tflm_revisions
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.load import load_model
from tinyml_runtime.planning.arena_plan import plan_arena
from tinyml_runtime.planning.builtin_options import OPTION_STRUCTS
from tinyml_runtime.resolver import OpResolver

OPERANDS = re.compile(r"[io]\d+( [io]\d+)*")

every_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)


def _abis() -> Iterator[Abi]:
    for name in abi_names():
        for revision in tflm_revisions(name):
            for compression in (False, True):
                yield load_abi(name, revision, compression=compression)


ABIS = list(_abis())
every_abi = pytest.mark.parametrize(
    "abi", ABIS, ids=lambda abi: f"{abi.name} {abi.tflm}{' compression' * abi.has_compression}"
)


class _Asked(dict[str, Layout]):
    """The structures of an ABI; remembers which of them were asked for."""

    def __init__(self, known: Abi) -> None:
        super().__init__(known.structs)
        self.names: set[str] = set()

    def get(self, key: str, default: Layout | None = None) -> Layout | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.names.add(key)
        return super().get(key, default)


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """The structures that the kernels of all operators ask for, one model for all their types."""
    abi = load_abi("lp64", compression=True)
    structs = _Asked(abi)
    profile = RuntimeProfile(replace(abi, structs=structs))
    for case in {(case.operator, case.types): case for case in CASES}.values():
        plan_arena(load_model(case.data), profile, GreedyPlanner())
    return structs.names


@every_library
def test_every_operator_that_has_a_kernel_says_what_it_asks_for(library: KernelLibrary) -> None:
    resolver = OpResolver(library)
    missing = [name for name in resolver.operators() if resolver.find_arena_use(name) is None]
    assert not missing


@every_library
def test_every_use_belongs_to_a_kernel(library: KernelLibrary) -> None:
    assert set(library.arena_uses) <= set(OpResolver(library).operators())


@every_library
def test_operands_are_named_by_direction_and_position(library: KernelLibrary) -> None:
    for operator in library.arena_uses:
        use = library.find_arena_use(operator)
        assert use is not None
        assert not use.temporaries or OPERANDS.fullmatch(use.temporaries), operator


@every_library
@every_abi
def test_the_data_of_every_operator_has_a_size(library: KernelLibrary, abi: Abi) -> None:
    uses = [library.find_arena_use(operator) for operator in library.arena_uses]
    named = {use.op_data for use in uses if use is not None and use.op_data}
    assert named <= set(abi.structs)


@every_abi
def test_the_options_of_every_operator_have_a_size(abi: Abi) -> None:
    assert set(OPTION_STRUCTS.values()) <= set(abi.structs)


@every_abi
def test_whatever_kernels_ask_for_has_a_size(abi: Abi, asked: set[str]) -> None:
    assert len(asked) > 100
    assert asked <= set(abi.structs)
