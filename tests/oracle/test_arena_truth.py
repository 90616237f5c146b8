"""Arenas of the reference library: every measured row to the byte, and every call in its order."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.corpus import CORPUS, corpus_models
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.arena import Action
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.load import load_model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_arena

TRUTH = CORPUS / "truth"
# The measured cores of each ABI; the reference kernels are the same on all of them.
CORES = {"arm-eabi": ("arena_arm.csv", "cpu"), "ilp32": ("arena_riscv.csv", "isa")}
ACTIONS = {Action.PERSISTENT: "PALLOC", Action.TEMPORARY: "TALLOC", Action.HEAD: "RESIZE"}

Row: TypeAlias = dict[str, str]
# What is asked for: kind, bytes, and the alignment where it matters.
Call: TypeAlias = tuple[str, int, int]

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not TRUTH.is_dir(), reason=f"no measured arenas at {TRUTH}"),
]


@cache
def _models() -> dict[str, Path]:
    return {sha256(path.read_bytes()).hexdigest(): path for path in corpus_models()}


@cache
def _plan(sha: str, abi: str) -> ArenaPlan:
    return plan_arena(load_model(_models()[sha]), RuntimeProfile(load_abi(abi)), GreedyPlanner())


def _rows(name: str) -> list[Row]:
    with (TRUTH / name).open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["kernels"] == "reference"]


def _measured(abi: str) -> list[Row]:
    """The rows of models that are at hand, of all cores."""
    rows = [row for row in _rows(CORES[abi][0]) if row["status"] == "ok"]
    return [row for row in rows if row["sha256"] in _models()]


@pytest.mark.parametrize("abi", CORES)
def test_the_figures_of_every_model_are_as_measured(abi: str) -> None:
    differences: list[str] = []
    rows = _measured(abi)
    for row in rows:
        arena = _plan(row["sha256"], abi).arena
        figures = {
            "arena_used_bytes": arena.used_bytes,
            "min_arena_bytes": arena.min_bytes,
            "persistent_bytes": arena.persistent_bytes,
            "nonpersistent_bytes": arena.nonpersistent_bytes,
        }
        differences += [
            f"{row['model']} on {row[CORES[abi][1]]}: {name} is {figure}, measured {row[name]}"
            for name, figure in figures.items()
            if row[name] and figure != int(row[name])
        ]
    assert rows, f"no measured model is in {CORPUS}"
    assert not differences


def test_every_call_is_made_in_the_measured_order() -> None:
    by_name = {row["model"]: row["sha256"] for row in _measured("arm-eabi")}
    compared = 0
    for (model, core), measured in _measured_calls():
        if model not in by_name:
            continue
        ours = _calls(_plan(by_name[model], "arm-eabi"))
        pairs = zip(ours, measured, strict=False)
        first = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
        place = f"{model} on {core}"
        assert first is None, f"{place}: call {first} is {ours[first]}, measured {measured[first]}"
        assert len(ours) == len(measured), place
        compared += 1
    assert compared, f"no measured model is in {CORPUS}"


def _measured_calls() -> Iterator[tuple[tuple[str, str], list[Call]]]:
    """The calls of each model and core, without the planner's own and what is said twice."""
    rows = _rows("allocs_arm.csv")
    for key, group in groupby(rows, lambda row: (row["model"], row["cpu"])):
        yield (
            key,
            [
                _call(row["kind"], int(row["size"]), int(row["align"]))
                for row in group
                if row["kind"] != "RESERVE"
                and (row["kind"], row["consumed_or_flag"]) != ("TALLOC", "1")
            ],
        )


def _calls(plan: ArenaPlan) -> Sequence[Call]:
    """The same of ours; the allocator's own structure is not in the measured ones."""
    return [
        _call(ACTIONS[call.action], call.bytes, call.alignment)
        for call in plan.calls[1:]
        if call.action in ACTIONS
    ]


def _call(kind: str, size: int, alignment: int) -> Call:
    return kind, size, 0 if kind == "RESIZE" else alignment
