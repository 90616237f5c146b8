"""Arenas here and in the `tflite-micro` wheel."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import pytest

from tests.oracle.arena_worker import Job, Report, listen, measure
from tests.support.single_op import needs_tflm
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_arena
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

WHEEL = RuntimeProfile(load_abi("lp64", "0.dev20261023182759"))

needs_wheel = [
    needs_tflm,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="arenas are tried in forked processes"),
]


@dataclass(frozen=True)
class Comparison:
    """Our figures beside the wheel's, and whether our smallest arena is the wheel's."""

    plan: ArenaPlan
    report: Report

    def __str__(self) -> str:
        ours, theirs = self.plan.arena, self.report
        return (
            f"used {ours.used_bytes} (persistent {ours.persistent_bytes}), TFLM {theirs.used} "
            f"({theirs.persistent}); of {ours.min_bytes - 1} and {ours.min_bytes} bytes are enough "
            f"{theirs.enough}; bound by {ours.bound_by}"
        )

    @property
    def is_alike(self) -> bool:
        """Whether all figures are the same, to the byte."""
        ours, theirs = self.plan.arena, self.report
        return theirs.enough in ((), (False, True)) and (
            ours.used_bytes,
            ours.nonpersistent_bytes,
            ours.persistent_bytes,
        ) == (theirs.used, theirs.nonpersistent, theirs.persistent)


class Wheel:
    """The wheel in a process that is started again when a model brought it down."""

    def __init__(self) -> None:
        self._pool = self._started()

    def compare(
        self, model: bytes, *, smallest: bool, feeds: Sequence[Sequence[Array]] = ()
    ) -> Comparison | str:
        """Our figures and the wheel's; `smallest` tries our smallest arena and a byte less."""
        loaded = load_model(model)
        plan = plan_arena(loaded, WHEEL, GreedyPlanner())
        least = plan.arena.min_bytes
        sizes = (least - 1, least) if smallest else ()
        report = self._measure(Job(model, sizes, feeds, _has_variables(loaded)))
        return report if isinstance(report, str) else Comparison(plan, report)

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()

    def _measure(self, job: Job) -> Report | str:
        try:
            return self._pool.submit(measure, job).result()
        except BrokenProcessPool:
            self._pool = self._started()
            return "the process ended"

    def _started(self) -> ProcessPoolExecutor:
        fresh = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, mp_context=fresh, initializer=listen)


def _has_variables(model: Model) -> bool:
    return any(code.builtin_code == BuiltinOperator.VAR_HANDLE for code in model.operator_codes)
