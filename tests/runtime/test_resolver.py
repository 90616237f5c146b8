"""Kernel libraries are overlays over the reference; other packages add theirs by entry point."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from tests.support.single_op import SingleOp, constant, fed
from tinyml_runtime import resolver
from tinyml_runtime.errors import LibraryError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.registration import EvalContext, Node, Registration
from tinyml_runtime.types import BuiltinOperator


def _reference_add() -> Registration[object]:
    registration = REFERENCE.find("ADD")
    assert registration is not None
    return registration


def _subtract(context: EvalContext, node: Node, data: object) -> None:
    context.output(node, 0).values[...] = (
        context.input(node, 0).values - context.input(node, 1).values
    )


CONTRARY = KernelLibrary("contrary", {"ADD": replace(_reference_add(), evaluate=_subtract)})

ADD = SingleOp(
    BuiltinOperator.ADD,
    [fed((2,), np.float32), constant(np.array([1, 2], np.float32))],
    [fed((2,), np.float32)],
)


def _run(library: str | KernelLibrary) -> list[float]:
    interpreter = Interpreter(ADD.model(), library)
    interpreter.allocate_tensors()
    interpreter.invoke()
    return interpreter.output(0).tolist()


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = EntryPoints(
        [
            EntryPoint("contrary", f"{__name__}:CONTRARY", resolver.ENTRY_POINT_GROUP),
            EntryPoint("broken", "no_such_module:LIBRARY", resolver.ENTRY_POINT_GROUP),
            EntryPoint("strange", "math:pi", resolver.ENTRY_POINT_GROUP),
        ]
    )

    def entry_points(*, group: str) -> EntryPoints:
        return entries.select(group=group)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def test_a_library_overrides_what_it_has() -> None:
    assert _run(CONTRARY) == [-1.0, -2.0]


def test_the_reference_stands_in_for_what_a_library_lacks() -> None:
    assert resolver.OpResolver.for_library(CONTRARY).find("RESHAPE") is REFERENCE.find("RESHAPE")


def test_two_libraries_live_side_by_side() -> None:
    assert _run(CONTRARY) == [-1.0, -2.0]
    assert _run("reference") == [1.0, 2.0]


@pytest.mark.usefixtures("_installed")
def test_a_package_adds_its_library_by_entry_point() -> None:
    assert _run("contrary") == [-1.0, -2.0]
    assert "contrary" in resolver.library_names()


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("broken", "No module named 'no_such_module'"),
        ("strange", "is no KernelLibrary"),
        ("absent", "no kernel library 'absent' .there are: reference"),
    ],
)
def test_says_why_a_library_cannot_be_used(name: str, reason: str) -> None:
    with pytest.raises(LibraryError, match=reason):
        _run(name)


def test_every_entry_of_the_table_is_a_kernel_of_that_name() -> None:
    for operator in REFERENCE.kernels:
        registration = REFERENCE.find(operator)
        assert registration is not None
        assert registration.name == operator
